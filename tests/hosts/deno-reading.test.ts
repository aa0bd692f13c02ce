// Deno reads paths and bytes, and writes a folder, as Node does.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect } from "vitest";
import { testFolder } from "../folder.ts";
import { appFolder, removeApp } from "./app.ts";
import { deno, program } from "./deno.ts";
import { whenThere } from "./when-there.ts";

afterAll(removeApp);
const folder = testFolder();

whenThere(deno[0].missing())("Deno reads paths and bytes, and writes a folder", async () => {
  const csv = "vit_num,token_num\n5,900\n4,800\n9,2500\n";
  writeFileSync(join(folder, "a.csv"), csv);
  writeFileSync(join(folder, "a.csv.gz"), gzipSync(csv));
  const script = join(await appFolder(), "deno-reading.js");
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1" };
  const out = execFileSync(program, ["run", "--quiet", "--no-prompt", "--cached-only", "-A", script, folder], {
    encoding: "utf8",
    env,
  });
  expect(JSON.parse(out)).toEqual([
    "900,800,2500,900,800,2500,7",
    3,
    5,
    5,
    'b.csv: line 1: tokens or token_num is missing, the header has "vit_num"',
  ]);
});
