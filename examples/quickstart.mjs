// The main job from start to end on a generated sample: what the lengths look like, and the plan that a trainer follows.
// Leaves both in a folder with this omnibal installed, for the commands of the README. Needs the built package:
// `npm ci` builds it.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = realpathSync(fileURLToPath(new URL("..", import.meta.url)));
const main = join(root, "dist/cli/main.js");

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

/** Makes the folder; false where something of that name is there. */
function make(folder, lengths) {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const bin = join(folder, "node_modules", ".bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(relative(join(folder, "node_modules"), root), join(folder, "node_modules", "omnibal"), "junction");
  if (process.platform === "win32") {
    writeFileSync(join(bin, "omnibal.cmd"), '@node "%~dp0\\..\\omnibal\\dist\\cli\\main.js" %*\r\n');
  } else {
    chmodSync(main, 0o755);
    symlinkSync("../omnibal/dist/cli/main.js", join(bin, "omnibal"));
  }
  writeFileSync(join(folder, "lengths.json"), lengths);
  return true;
}

/** Whether it is a folder that an earlier run has made, with the sample as it was. */
function made(folder, lengths) {
  try {
    const installed = realpathSync(join(folder, "node_modules", "omnibal"));
    return installed === root && readFileSync(join(folder, "lengths.json"), "utf8") === lengths;
  } catch {
    return false;
  }
}

/** Runs a command line in the folder; gives what it prints on standard output where that is not shown. */
function run(folder, stdout, ...args) {
  console.log(`\n$ npx omnibal ${args.join(" ")}`);
  const {
    status,
    error,
    stdout: printed,
  } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    stdio: ["ignore", stdout, "inherit"],
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`omnibal ended with code ${status}`);
  return printed;
}

const lengths = JSON.stringify(samples(100_000));
// Whatever is there already stays as it is: a folder that is not ours gets a neighbour.
let folder = "quickstart";
for (let next = 2; !make(folder, lengths) && !made(folder, lengths); next++) folder = `quickstart-${next}`;

console.log(`${folder}/lengths.json: 100,000 generated samples`);
run(folder, "inherit", "stats", "lengths.json");
const plan = "plan lengths.json --ranks 64 --max-vit 9 --max-tokens 4096 -o plan";
run(folder, "inherit", ...plan.split(" "));

/** Whole numbers of an .npy file of int64, which omnibal writes: samples and groups, below 2^32. */
function npy(name) {
  const bytes = readFileSync(join(folder, "plan", name));
  const at = 10 + bytes.readUInt16LE(8);
  return Array.from({ length: (bytes.length - at) / 8 }, (_, i) => bytes.readUInt32LE(at + i * 8));
}

const [steps, offsets, indices] = ["plan.npy", "offsets.npy", "indices.npy"].map(npy);
console.log("\nthe first step");
for (const rank of [0, 1, 63]) {
  const group = steps[rank];
  const samples = indices.slice(offsets[group], offsets[group + 1]);
  console.log(`  rank ${String(rank).padEnd(3)}group ${group}: samples ${samples.join(", ")}`);
}
console.log(`\nTo go on: cd ${folder}`);
