// npm run test:measure-kill [-- KILLS [SEED]]: a run of `omnibal measure` is killed at random moments (default 50), started
// again each time, until it ends; then the output must be, byte for byte, that of a run that nobody killed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { random } from "../../bench/corpus.ts";
import { omnibal, start } from "../cli/run.ts";
import { dataSet, lines, modelFolder } from "../measure/model-folder.ts";

const kills = Number(process.argv[2] ?? 50);
const draw = random(Number(process.argv[3] ?? 1));
const folder = mkdtempSync(join(tmpdir(), "omnibal-measure-kill-"));
const args = ["measure", "--model", "model", "-q", "many.jsonl", "--workers", "1", "-o"];
let wrong = 0;
try {
  modelFolder(join(folder, "model"));
  const samples = dataSet(folder, 300);
  writeFileSync(join(folder, "many.jsonl"), lines(Array.from({ length: 100 }, () => samples).flat()));
  const began = performance.now();
  if (omnibal([...args, "once.jsonl"], { cwd: folder }).code !== 0) throw new Error("the run fails");
  const time = performance.now() - began;
  const once = readFileSync(join(folder, "once.jsonl"));
  let runs = 0;
  for (let done = 0; done < kills; ) {
    const out = `killed${runs++}.jsonl`;
    for (let ended = false; !ended; ) {
      const { child, end } = start([...args, out], folder);
      const isLast = done >= kills;
      if (!isLast) await setTimeout(draw() * time);
      if (!isLast && child.exitCode === null) {
        child.kill("SIGKILL");
        done++;
      }
      const { code } = await end;
      ended = code === 0;
      if (code !== 0 && code !== null) throw new Error(`${out}: a run ended with ${code}`);
    }
    if (!readFileSync(join(folder, out)).equals(once)) wrong++;
  }
  console.log(`${kills} kills in ${runs} outputs: ${wrong} differ`);
} finally {
  rmSync(folder, { recursive: true });
}
if (wrong > 0) process.exitCode = 1;
