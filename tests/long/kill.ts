// npm run test:kill [-- KILLS [SEED]]: SIGKILL at every call that changes the disk, of every format and whatever stood at
// OUT before, then KILLS times (default 200) at random moments, some of them several runs in a row. After each: OUT, as
// our readers read it, is the old one or the new one; after the next run it is the new one, with nothing of ours beside it.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Before, isFolder, KINDS, type Kind, random, Scene } from "../write/killing.ts";

const kills = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? 1);
const draw = random(seed);
const parent = mkdtempSync(join(tmpdir(), "omnibal-kill-"));
const failures: string[] = [];

/** Looks at OUT after a kill, then at what the next run leaves. */
async function look(scene: Scene, kind: Kind, before: Before, out: string, what: string): Promise<string> {
  let state = "?";
  try {
    state = await scene.state(kind, out);
    const half = existsSync(join(out, "commit.json"));
    if (state !== before && state !== "new") throw new Error(`${out} was ${before} and is ${state}`);
    scene.run(scene.args(kind, "new", out));
    const after = await scene.state(kind, out);
    const strange = scene.strange(kind, out);
    if (after !== "new" || strange.length > 0)
      throw new Error(`the next run leaves ${after} and ${strange.join(", ")}`);
    rmSync(join(out, ".."), { recursive: true });
    return half ? `${state}, being committed` : state;
  } catch (error) {
    failures.push(`${kind.command} ${kind.format} over ${before}, ${what}: ${(error as Error).message}`);
    return "FAILED";
  }
}

function starts(kind: Kind): readonly Before[] {
  return isFolder(kind) ? ["nothing", "empty", "old"] : ["nothing", "old"];
}

function tell(counts: Map<string, number>): string {
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}

function count(counts: Map<string, number>, state: string): void {
  counts.set(state, (counts.get(state) ?? 0) + 1);
}

try {
  const small = await Scene.make(parent, 1000);
  let calls = 0;
  for (const kind of KINDS) {
    for (const before of starts(kind)) {
      const counts = new Map<string, number>();
      const last = await small.calls(kind, before);
      for (let at = 1; at <= last; at++) {
        const out = await small.begin(kind, before);
        const { signal } = small.run(small.args(kind, "new", out), { CRASH_AT: String(at) });
        if (signal !== "SIGKILL") failures.push(`${kind.command} ${kind.format}: no call ${at}`);
        count(counts, await look(small, kind, before, out, `call ${at}`));
      }
      calls += last;
      console.log(`${kind.command} ${kind.format} over ${before}: killed at ${last} calls: ${tell(counts)}`);
    }
  }
  const large = await Scene.make(parent, 20_000);
  const counts = new Map<string, number>();
  let killed = 0;
  for (let turn = 0; killed < kills; turn++) {
    const kind = KINDS[turn % KINDS.length];
    const before = starts(kind)[Math.floor(draw() * starts(kind).length)];
    const out = await large.begin(kind, before);
    const runs = 1 + Math.floor(draw() * 2);
    let done = false;
    for (let run = 0; run < runs; run++) {
      const args = large.args(kind, "new", out);
      // Half of them anywhere in a run, half while it writes.
      const isKilled =
        draw() < 0.5
          ? await large.killAfter(args, out, draw() * 600, "start")
          : await large.killAfter(args, out, draw() * draw() * 60, "write");
      if (isKilled) killed++;
      else done = true;
    }
    const state = await look(large, kind, before, out, `turn ${turn} of seed ${seed}`);
    if (done && !state.startsWith("new")) failures.push(`${kind.command} ${kind.format}: done, and yet ${state}`);
    count(counts, `${before} -> ${state}`);
  }
  console.log(`${killed} kills at random moments, seed ${seed}: ${tell(counts)}`);
  console.log(`${calls + killed} kills, ${failures.length} failures`);
} finally {
  rmSync(parent, { recursive: true, force: true });
}
for (const failure of failures) console.log(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
