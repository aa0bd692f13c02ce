// The built tarball, installed in an empty folder and used from there: what users get, not the source tree.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { install, remove, root, run as runIn } from "./installed.ts";

let folder: string;
const run = (command: string, args: string[]) => runIn(command, args, folder);

beforeAll(() => {
  folder = install();
}, 180_000);
afterAll(() => remove(folder));

test("the library packs", () => {
  writeFileSync(
    join(folder, "use.js"),
    `import { load } from "omnibal";
     const omnibal = await load();
     const packing = omnibal.pack({ vit: [5, 4, 9, 10], tokens: [900, 800, 2500, 1] }, { maxVit: 9, maxTokens: 4096 });
     console.log(JSON.stringify([...packing].map((g) => [...g])), packing.oversize.join());`,
  );
  expect(run("node", ["use.js"])).toBe("[[2],[0,1]] 3\n");
});

test("the module is there by its name, and is the one that was built", () => {
  const script = 'process.stdout.write(new URL(import.meta.resolve("omnibal/omnibal.wasm")).pathname)';
  writeFileSync(join(folder, "where.js"), script);
  const installed = readFileSync(run("node", ["where.js"]));
  expect(installed.equals(readFileSync(join(root, "build/omnibal.wasm")))).toBe(true);
});

test("a search runs on the workers of the package, and equals the one without", () => {
  writeFileSync(
    join(folder, "search.js"),
    `import { load } from "omnibal";
     const omnibal = await load();
     const vit = Int32Array.from({ length: 3000 }, (_, i) => 1 + (i % 5));
     const lengths = { vit, tokens: vit.map((v, i) => 256 * v + ((i * 37) % 300)) };
     const options = { ranks: 8, samplesPerGroup: 4, candidates: 20 };
     const [one, two] = [await omnibal.search(lengths, { ...options, workers: 0 }), await omnibal.search(lengths, { ...options, workers: 2 })];
     console.log(two.workers, JSON.stringify({ ...two, workers: 0 }) === JSON.stringify(one));`,
  );
  expect(run("node", ["search.js"])).toBe("2 true\n");
});

test("the command line packs", () => {
  writeFileSync(join(folder, "lengths.json"), '[{"vit_num":5,"token_num":900},{"vit_num":9,"token_num":1}]');
  const args = ["pack", "-q", "lengths.json", "--max-vit=9", "--max-tokens=4096", "--format=jsonl"];
  const groups = ['{"group":[1],"vit":9,"tokens":1}', '{"group":[0],"vit":5,"tokens":900}', ""];
  for (const out of [run("npx", ["omnibal", ...args]), run(join(folder, "node_modules/.bin/omnibal"), args)]) {
    const [head, ...lines] = out.split("\n");
    expect(JSON.parse(head)).toMatchObject({ made: { version: 1, samples: 2 }, groups: 2 });
    expect(lines).toEqual(groups);
  }
});

test("types: a strict TypeScript user compiles", () => {
  writeFileSync(
    join(folder, "use.ts"),
    `import { load, type Packing } from "omnibal";
     const packing: Packing = (await load()).pack([{ vit_num: 1, token_num: 2 }], { maxVit: 9, maxTokens: 4096 });
     export const first: Int32Array = packing.group(0);`,
  );
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const flags = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom"];
  // No type packages but the package's own: it must not need @types/node.
  expect(run("node", [tsc, ...flags, "--types", "", "use.ts"])).toBe("");
});

test("the library entry reaches no dependency but the loader", () => {
  const dist = join(folder, "node_modules/omnibal/dist");
  const seen = new Set<string>();
  const outside = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, "utf8");
    for (const [, from] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
      if (from.startsWith(".")) visit(join(file, "..", from));
      else outside.add(from);
    }
  };
  visit(join(dist, "index.js"));
  expect([...outside]).toEqual(["@assemblyscript/loader"]);
});
