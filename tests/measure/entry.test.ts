// What the entry for pages may import, and that it works when it is bundled for them.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { loadModelFiles } from "../../src/measure/index.ts";
import { smallTokenizer } from "./tokenizers.ts";

const entry = fileURLToPath(new URL("../../src/measure/page.ts", import.meta.url));

test("pages take it without Node and without the libraries of files", async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: "browser",
    format: "esm",
    write: false,
    metafile: true,
    external: ["@huggingface/*"],
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect([...new Set(imported)].sort()).toEqual(["@huggingface/jinja"]);
  // Without a byte of the core or of what reads files.
  expect(Object.keys(metafile.inputs).filter((path) => /src\/(read|write|pack|plan)\//.test(path))).toEqual([]);
  const files = {
    "config.json": { model_type: "qwen2_5_vl" },
    "preprocessor_config.json": { min_pixels: 3136, max_pixels: 501760 },
    "tokenizer.json": smallTokenizer(),
    "tokenizer_config.json": {},
  };
  const bundled = `${outputFiles[0].text}`.replace(
    /from\s*"@huggingface\/jinja"/,
    `from ${JSON.stringify(import.meta.resolve("@huggingface/jinja"))}`,
  );
  const page = (await import(`data:text/javascript,${encodeURIComponent(bundled)}`)) as {
    loadModelFiles: typeof loadModelFiles;
  };
  const [one, two] = [page.loadModelFiles(files), loadModelFiles(files)];
  expect(one.image([480, 640])).toEqual(two.image([480, 640]));
  expect(one.image([480, 640])).toMatchObject({ vit: 34 * 46, tokens: 17 * 23 + 0 });
  expect(one.text("the picture of a cat")).toBe(two.text("the picture of a cat"));
});

test("the package names it, for pages too", () => {
  const { exports, peerDependenciesMeta } = JSON.parse(
    readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8"),
  );
  expect(exports["./measure"].browser.default).toBe("./dist/measure/page.js");
  expect(exports["./measure"].default).toBe("./dist/measure/index.js");
  expect(peerDependenciesMeta.tokenizers.optional).toBe(true);
});
