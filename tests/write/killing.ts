// Kills the command line while it writes, and says what the readers then make of OUT.
import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load, type Omnibal } from "../../src/index.ts";
import { readWhole } from "../../src/read/folder.ts";
import { type PackedLengths, readLengths, readPacking, readPlan } from "../../src/read/index.ts";
import { samples } from "../samples.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const CRASH = new URL("crash.mjs", import.meta.url).href;

export interface Kind {
  readonly command: "pack" | "plan";
  readonly format: string;
}

export const KINDS: readonly Kind[] = [
  ...["json", "jsonl", "npy", "xtuner"].map((format) => ({ command: "pack" as const, format })),
  ...["json", "npy", "xtuner"].map((format) => ({ command: "plan" as const, format })),
];

export function isFolder({ format }: Kind): boolean {
  return format === "npy" || format === "xtuner";
}

/** What stands at OUT before the run that is killed. */
export type Before = "nothing" | "empty" | "old";

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A folder with samples and a packing of them, for runs that write OUT and are killed. */
export class Scene {
  readonly folder: string;
  readonly #omnibal: Omnibal;
  readonly #lengths: PackedLengths;
  /** Runs that nobody disturbed, and what the readers make of them. */
  readonly #made = new Map<string, { readonly out: string; readonly seen: string }>();

  private constructor(folder: string, omnibal: Omnibal, lengths: PackedLengths) {
    this.folder = folder;
    this.#omnibal = omnibal;
    this.#lengths = lengths;
  }

  static async make(parent: string, count: number): Promise<Scene> {
    const folder = mkdtempSync(join(parent, "scene-"));
    const { vit, tokens } = samples(`tiled:${count}`);
    const records = Array.from(vit, (own, i) => ({ vit_num: own, token_num: tokens[i] }));
    writeFileSync(join(folder, "len.json"), JSON.stringify(records));
    const lengths = await readLengths([join(folder, "len.json")]);
    const scene = new Scene(folder, await load(), {
      ...lengths,
      files: [{ path: join(folder, "len.json"), samples: count }],
    });
    scene.run(["pack", scene.#samples, ...PACK, "-o", join(folder, "groups.json")]);
    return scene;
  }

  /** XTuner's folder names it. */
  get #samples(): string {
    return join(this.folder, "len.json");
  }

  args({ command, format }: Kind, version: "old" | "new", out: string): string[] {
    const number = version === "old" ? "1" : "2";
    const own = command === "pack" ? [...PACK, "--seed", number] : [...PLAN, "--epoch", number];
    return [command, this.#samples, ...own, "--format", format, "-o", out];
  }

  run(args: readonly string[], env: Record<string, string> = {}): { signal: string | null } {
    const crash = Object.keys(env).length > 0 ? ["--import", CRASH] : [];
    const { status, signal, stderr } = spawnSync(process.execPath, [...crash, MAIN, ...args], {
      cwd: this.folder,
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    if (status !== 0 && signal === null) throw new Error(`${args.join(" ")}: code ${status}, ${stderr}`);
    return { signal };
  }

  /** How many calls of a run change anything on the disk. */
  async calls(kind: Kind, before: Before): Promise<number> {
    const out = await this.begin(kind, before);
    const count = join(this.folder, "count");
    this.run(this.args(kind, "new", out), { CRASH_COUNT: count });
    return Number(readFileSync(count, "utf8"));
  }

  /** An OUT in a folder of its own, as it is before the run. */
  async begin(kind: Kind, before: Before): Promise<string> {
    const here = mkdtempSync(join(this.folder, "out-"));
    const out = join(here, "out");
    if (before === "empty") mkdirSync(out);
    if (before === "old") cpSync((await this.#undisturbed(kind, "old")).out, out, { recursive: true });
    return out;
  }

  /** Starts a run, and kills it a number of ms after its start, or after its work on the disk began. */
  async killAfter(args: readonly string[], out: string, wait: number, from: "start" | "write"): Promise<boolean> {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: this.folder, stdio: "ignore" });
    const end = new Promise<boolean>((done) => child.on("close", (_, signal) => done(signal === "SIGKILL")));
    const kill = () => setTimeout(() => child.kill("SIGKILL"), wait);
    if (from === "start") kill();
    else {
      let begun = false;
      const isDrawn = /\.omnibal-[0-9a-f]{16}$/;
      const watchers = [join(out, ".."), ...(existsSync(out) ? [out] : [])].map((folder) =>
        watch(folder, (_, name) => {
          if (begun || !isDrawn.test(String(name))) return;
          begun = true;
          kill();
        }),
      );
      end.finally(() => {
        for (const watcher of watchers) watcher.close();
      });
    }
    return end;
  }

  /** What the readers make of OUT: all of it, as text; "nothing" or "empty" where it is that. */
  async see({ command, format }: Kind, out: string): Promise<string> {
    if (!existsSync(out)) return "nothing";
    if (isFolder({ command, format }) && !readdirSync(out).some((name) => /\.(npy|json)$/.test(name))) return "empty";
    const parts: unknown[] = [];
    if (command === "plan" && format !== "xtuner") parts.push({ ...(await readPlan(out)) });
    if (command === "plan" && format === "xtuner") {
      parts.push(await readWhole(out, async (fileOf) => readFileSync(fileOf("sampler_order.npy"), "latin1")));
    }
    if (command === "pack" || isFolder({ command, format })) {
      const { offsets, indices, oversize } = await readPacking(this.#omnibal, out, this.#lengths);
      parts.push(offsets, indices, oversize);
    }
    return JSON.stringify(parts);
  }

  /** Which of "nothing", "empty", "old" and "new" OUT is; anything else is thrown. */
  async state(kind: Kind, out: string): Promise<Before | "new"> {
    const seen = await this.see(kind, out);
    if (seen === "nothing" || seen === "empty") return seen;
    for (const version of ["old", "new"] as const) {
      if (seen === (await this.#undisturbed(kind, version)).seen) return version;
    }
    throw new Error(`${out} is neither the old one nor the new one`);
  }

  async #undisturbed(kind: Kind, version: "old" | "new"): Promise<{ readonly out: string; readonly seen: string }> {
    const name = `${kind.command} ${kind.format} ${version}`;
    let made = this.#made.get(name);
    if (made === undefined) {
      const out = join(mkdtempSync(join(this.folder, "whole-")), "out");
      this.run(this.args(kind, version, out));
      made = { out, seen: await this.see(kind, out) };
      this.#made.set(name, made);
    }
    return made;
  }

  /** What is beside OUT, or in it and not of its format. */
  strange(kind: Kind, out: string): string[] {
    const inside = isFolder(kind) && existsSync(out) ? readdirSync(out).filter((name) => !NAMES.test(name)) : [];
    return [...readdirSync(join(out, "..")).filter((name) => name !== "out"), ...inside];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const PACK = ["--max-vit=9", "--max-tokens=4096", "--rounds=2", "-q"];
const PLAN = ["--packing=groups.json", "--ranks=4", "-q"];
/** Files that formats of folders have; ours, to be gone at the end, all begin with a dot or are commit.json. */
const NAMES = /^(?!commit\.json$)[a-z_]+\.(npy|json)$/;
