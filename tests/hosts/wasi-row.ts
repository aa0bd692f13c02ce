// The WASI command as a host of the table: lengths go in as a .npy, groups come out as JSON Lines.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { npy } from "../npy-bytes.ts";
import { samples, sha256 } from "../samples.ts";
import type { Job, Report } from "./answer.ts";
import type { Host } from "./host.ts";
import { wasmtime as engine, type Run } from "./wasi.ts";
import { wasm } from "./wasmtime.ts";

function runOf(job: Job, input: string): Run {
  const { vit, tokens } = samples(job.input);
  const rows = Array.from(vit, (v, i): [number, number] => [v, tokens[i]]);
  writeFileSync(input, npy(rows, { descr: "<i4" }));
  const args = ["pack", "-q", "--format=jsonl", `--max-vit=${job.maxVit}`, `--max-tokens=${job.maxTokens}`];
  args.push(`--min-vit=${job.minVit}`, `--min-tokens=${job.minTokens}`, `--rounds=${job.rounds}`, `--seed=${job.seed}`);
  return { args, input };
}

/** The hash of the groups in JSON Lines; its last line may be the oversize samples. */
function hashOf(lines: string): string {
  const groups = Array.from(lines.matchAll(/^\{"group":\[(.*?)\]/gm), (match) => match[1]);
  return sha256(groups.join("\n"));
}

export const wasiCommand: Host = {
  name: "wasmtime, WASI command",
  missing: engine.missing,
  async ask({ jobs }): Promise<Report> {
    const folder = mkdtempSync(join(tmpdir(), "omnibal-wasi-"));
    try {
      const ends = engine.run(jobs.map((job, k) => runOf(job, join(folder, `${k}.npy`))));
      const failed = ends.find(({ code }) => code !== 0);
      if (failed !== undefined) throw new Error(`the command ended with ${failed.code}: ${failed.err}`);
      return {
        engine: "wasmtime",
        module: createHash("sha256").update(readFileSync(wasm)).digest("hex"),
        compiled: "bytes",
        groups: ends.map(({ out }) => hashOf(out.toString())),
        ms: jobs.map(() => []),
      };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
