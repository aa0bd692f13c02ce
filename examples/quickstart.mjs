// The main job from start to end on a generated sample: what the lengths look like, and the groups they pack into.
// Needs the built package: `npm ci` builds it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const omnibal = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** Samples of 1, 3, 4 or 5 tiles with 256 tokens each and a text, the same on every run (xorshift32). */
function samples(count) {
  let x = 88675123;
  const next = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
  return Array.from({ length: count }, () => {
    const c = next() % 100;
    const a = next() % 300;
    const long = next() % 16 === 0;
    const tiles = c < 55 ? 1 : c < 83 ? 3 : c < 86 ? 4 : 5;
    return { vit_num: tiles, token_num: 256 * tiles + 30 + a * (long ? 5 : 1), image_flags: tiles };
  });
}

function run(folder, ...args) {
  console.log(`\n$ omnibal ${args.join(" ")}`);
  const { status, error } = spawnSync(process.execPath, [omnibal, ...args], { cwd: folder, stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`omnibal ended with code ${status}`);
}

const folder = mkdtempSync(join(tmpdir(), "omnibal-"));
try {
  writeFileSync(join(folder, "lengths.json"), JSON.stringify(samples(100_000)));
  console.log("lengths.json: 100,000 generated samples");
  run(folder, "stats", "lengths.json");
  run(folder, "pack", "lengths.json", "--max-vit", "9", "--max-tokens", "4096", "-o", "groups.json");
  const { groups } = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8"));
  console.log("\ngroups.json starts with");
  for (const group of groups.slice(0, 3)) console.log(`  samples ${group.join(", ")}`);
} finally {
  rmSync(folder, { recursive: true });
}
