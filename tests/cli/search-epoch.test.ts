// `omnibal search` for the shortest epoch.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tiled } from "../../bench/inputs.ts";
import { testFolder } from "../folder.ts";
import { omnibal, shell, widest } from "./run.ts";

const folder = testFolder();
const { vit, tokens } = tiled(2000);
writeFileSync(
  join(folder, "lengths.json"),
  JSON.stringify(Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i] }))),
);
const run = (...args: string[]) =>
  omnibal(["search", "lengths.json", "--ranks=16", "--candidates=20", ...args], { cwd: folder });
const COST = "--cost=vit=6,tokens=.02,tokens^2=4e-6,group=9.4,step=30";

test("a table, why, and commands that do what was found", () => {
  const { code, out, err } = run("--max-vit-limit=9", "--max-tokens-limit=4096", COST, "--seed=7");
  expect([code, err]).toEqual([0, ""]);
  expect(widest(out)).toBeLessThanOrEqual(80);
  expect(out.replaceAll("\n", " ")).toContain(" has the shortest epoch of 10 that were tried: ");
  const [, epoch, steps] = /^\* .* ([\d,]+) +(?:[\d.]+) +(?:[\d.]+ %)$/m.exec(out) ?? [];
  expect(epoch ?? steps).toBeDefined();
  const commands = out.slice(out.indexOf("omnibal pack ")).replaceAll(/^omnibal /gm, "$OMNIBAL ");
  const ran = shell(commands, folder);
  expect(ran.code).toBe(0);
  const seen = JSON.parse(run("--max-vit-limit=9", "--max-tokens-limit=4096", COST, "--seed=7", "--json").out);
  expect(JSON.parse(readFileSync(join(folder, "groups.json"), "utf8")).groups).toHaveLength(seen.winner.groups);
  expect(JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")).steps).toHaveLength(seen.winner.steps);
  expect(seen).toMatchObject({ costAssumed: false, cost: { "tokens^2": 4e-6 }, winner: { leftOut: 0 } });
  expect(seen).not.toHaveProperty("workers");
});

test("memory in place of limits, and the method alone, ask for it too", () => {
  const seen = JSON.parse(run("--memory=60e9", "--bytes=vit=2e9,tokens=8e6,group=5e9", "--json").out);
  expect(seen).toMatchObject({ costAssumed: true, cost: { vit: 512, tokens: 1 } });
  const { vit: v, tokens: t } = seen.winner.max;
  expect(2e9 * v + 8e6 * t + 5e9).toBeLessThanOrEqual(60e9);
  expect(JSON.parse(run("--samples-per-group=4", "--method=isf", "--json").out).winner.method).toBe("isf");
  expect(JSON.parse(run("--samples-per-group=4", "--objective=epoch", "--json").out)).toHaveProperty("ideal");
  // Without any of these it is the published objective.
  const published = run("--samples-per-group=4", "--json").out;
  expect(JSON.parse(published)).toHaveProperty("strategy", "scan");
  expect(run("--samples-per-group=4", "--objective=published", "--json").out).toBe(published);
});

test("what is wrong is said", () => {
  const wrong = (...args: string[]) => run(...args).err;
  expect(wrong("--method=isf")).toContain(
    "one of --samples-per-group, --max-vit-limit, --max-tokens-limit and --memory",
  );
  expect(wrong("--memory=60e9")).toContain("--memory is given alone, expected --memory and --bytes");
  expect(wrong("--memory=lots", "--bytes=vit=1")).toContain('--memory is "lots", expected bytes, such as 60e9');
  expect(wrong("--memory=60e9", "--bytes=frames=1")).toContain('bytes names "frames", expected vit, tokens, group');
  expect(wrong("--objective=epoch", "--slack=.1")).toContain("--slack is given, but it is for --objective published");
  expect(wrong("--objective=published", "--method=isf")).toContain(
    "--method is given, but it is for --objective epoch",
  );
  const { code, out } = run("--max-vit-limit=2", "--method=isf");
  expect(code).toBe(1);
  expect(out).toContain("No bounds hold every sample: they take vit 5 and tokens ");
});
