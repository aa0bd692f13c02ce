import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { testFolder } from "../folder.ts";
import { samples } from "../samples.ts";

test("the quick start runs to its end, shows what it runs and leaves nothing", async () => {
  const folder = testFolder();
  const script = fileURLToPath(new URL("../../examples/quickstart.mjs", import.meta.url));
  const env = { ...process.env, TMPDIR: folder };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8", env });
  expect(status).toBe(0);
  expect(stdout).toContain("\n$ omnibal stats lengths.json\nsamples          100,000\n");
  expect(stdout).toContain("\n$ omnibal pack lengths.json --max-vit 9 --max-tokens 4096 -o groups.json\n");
  const packing = (await load()).pack(samples("tiled:100000"), { maxVit: 9, maxTokens: 4096 });
  expect(stdout).toContain(`\n  samples ${packing.group(2).join(", ")}\n`);
  expect(stderr).toContain(`groups       ${packing.length.toLocaleString("en")}\n`);
  expect(readdirSync(folder)).toEqual([]);
});
