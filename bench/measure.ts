// npm run bench:measure [-- SAMPLES [PYTHON]]: a corpus that repeats no text is measured, tokens alone and samples from their
// JSON to their loads, and by Python's libraries (tokenizers with encode_batch_fast, Pillow), in CPU time of one core; then
// by the whole command with one worker and with two, in wall time: run that part on a quiet machine of two cores or more.
// Python is left out where PYTHON (default .venv/bin/python) lacks the libraries: pip install tokenizers pillow.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { modelFolder } from "../tests/measure/model-folder.ts";
import { jpeg } from "../tests/measure/pictures.ts";
import { folderOf, NAMES, tokenizerJson } from "../tests/measure/tokenizers.ts";
import { random, sample } from "./corpus.ts";
import { publish } from "./results.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const count = Number(process.argv[2] ?? 20_000);
const python = process.argv[3] ?? join(root, ".venv/bin/python");
/** As users run it: the built files. */
const built = (path: string) => import(new URL(`../dist/measure/${path}`, import.meta.url).href);
const { compile } = (await built("tokenizer/tables.js")) as typeof import("../src/measure/tokenizer/tables.ts");
const { TableCounter } = (await built("tokenizer/counter.js")) as typeof import("../src/measure/tokenizer/counter.ts");
const { jsonFile } = (await built("data/json.js")) as typeof import("../src/measure/data/json.ts");
const { Measurer } = (await built("run/measurer.js")) as typeof import("../src/measure/run/measurer.ts");
const { modelSource } = (await built("load.js")) as typeof import("../src/measure/load.ts");
const { makeModel } = (await built("source.js")) as typeof import("../src/measure/source.ts");

/** Seconds of CPU time since a call of `process.cpuUsage`. */
function secondsSince(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1e6;
}

/** Measures the corpus as a worker does: JSON, the template, the pictures' headers, tokens. Returns its CPU time. */
async function whole(folder: string, model: string, tokenizer: Record<string, unknown>): Promise<number> {
  const source = await modelSource(model);
  const counter = new TableCounter(compile(tokenizer));
  const measurer = new Measurer(makeModel(source, counter), counter, [{ root: folder, base: folder, set: {} }]);
  const begun = process.cpuUsage();
  const file = await jsonFile(join(folder, "corpus.jsonl"), undefined);
  for await (const { batch } of file.batches(0, Number.POSITIVE_INFINITY)) {
    const { problems } = await measurer.measure(batch, 0);
    if (problems.length > 0) throw new Error(`a sample is bad: ${problems[0][1]}`);
  }
  return secondsSince(begun);
}

const PYTHON = `
import json, os, sys, time
os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer
from PIL import Image
folder, *files = sys.argv[1:]
records = [json.loads(line) for line in open(os.path.join(folder, "corpus.jsonl"), encoding="utf-8")]
texts = ["\\n".join(m["value"] for m in r["conversations"]) for r in records]
out = {}
for file in files:
    tokenizer = Tokenizer.from_file(file)
    begun, n = time.process_time(), 0
    for i in range(0, len(texts), 1000):
        n += sum(len(e) for e in tokenizer.encode_batch_fast(texts[i : i + 1000], add_special_tokens=False))
    out[file] = [n, time.process_time() - begun]
begun = time.process_time()
for r in records:
    with Image.open(os.path.join(folder, r["image"])) as image: image.size
out["pictures"] = [0, time.process_time() - begun]
print(json.dumps(out))
`;

/** Samples for one and two workers, as often as for one core. */
const TIMES = 5;

/** A run with so many workers, timed from its first batch to its last. */
const TIMED = `
const { measure } = await import(process.argv[1]);
const [, , folder, workers] = process.argv;
let first, last;
const onProgress = ({ stage }) => {
  if (stage !== "measuring") return;
  last = { at: performance.now(), loop: performance.eventLoopUtilization() };
  first ??= last;
};
await measure([folder + "/many.jsonl"], folder + "/model", folder + "/out" + workers + ".jsonl", {
  workers: Number(workers),
  onProgress,
});
const busy = performance.eventLoopUtilization(last.loop, first.loop).utilization;
console.log(JSON.stringify({ seconds: (last.at - first.at) / 1000, busy }));
`;

const folder = mkdtempSync(join(tmpdir(), "omnibal-bench-"));
try {
  mkdirSync(join(folder, "pictures"));
  const draw = random(3);
  const side = () => 200 + Math.floor(draw() * 1200);
  const records = Array.from({ length: count }, (_, i) => {
    const image = `pictures/${i % 2000}.jpg`;
    if (i < 2000) writeFileSync(join(folder, image), jpeg(side(), side(), { orientation: 1, before: 3000 }));
    return sample(i, image) as { conversations: { value: string }[] };
  });
  writeFileSync(join(folder, "corpus.jsonl"), records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  const texts = records.map(({ conversations }) => conversations.map(({ value }) => value).join("\n"));
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

  const files = NAMES.map((name) => join(folderOf(name), "tokenizer.json"));
  const child = spawnSync(python, ["-c", PYTHON, folder, ...files], { encoding: "utf8", maxBuffer: 1 << 24 });
  const theirs = child.status === 0 ? (JSON.parse(child.stdout) as Record<string, [number, number]>) : undefined;

  modelFolder(join(folder, "model"));
  const rate = (seconds: number) => `${(bytes / seconds / 1e6).toFixed(2)} MB/s`;
  const rows: string[][] = [];
  for (const [i, name] of NAMES.entries()) {
    const counter = new TableCounter(compile(tokenizerJson(name)));
    const begun = process.cpuUsage();
    let tokens = 0;
    for (const text of texts) tokens += counter.count(text);
    const own = secondsSince(begun);
    const all = await whole(folder, join(folder, "model"), tokenizerJson(name));
    const other = theirs?.[files[i]];
    if (other !== undefined && other[0] !== tokens) throw new Error(`${name}: ${tokens} tokens, Python ${other[0]}`);
    const ratio = (theirs: number | undefined, ours: number) => (theirs ? `${(theirs / ours).toFixed(1)}x` : "-");
    const perSecond = (seconds: number | undefined) =>
      seconds ? Math.round(count / seconds).toLocaleString("en") : "-";
    const both = other && theirs ? other[1] + theirs.pictures[1] : undefined;
    rows.push([
      ...[name, rate(own), other ? rate(other[1]) : "-", ratio(other?.[1], own)],
      ...[perSecond(all), perSecond(both), ratio(both, all)],
    ]);
  }

  // Threads that only wait take no CPU time, so that it is the wall clock that two workers halve. Both are timed from the
  // first batch on: reading a tokenizer takes two seconds, in which nothing can be done beside.
  writeFileSync(join(folder, "model/tokenizer.json"), JSON.stringify(tokenizerJson("qwen3")));
  const many = count * TIMES;
  const corpus = openSync(join(folder, "many.jsonl"), "w");
  for (let i = 0; i < many; i++) writeSync(corpus, `${JSON.stringify(sample(i, `pictures/${i % 2000}.jpg`))}\n`);
  closeSync(corpus);
  const runs = [1, 2].map((workers) => {
    const script = ["--input-type=module", "-e", TIMED, join(root, "dist/measure/index.js"), folder, `${workers}`];
    const run = spawnSync(process.execPath, script, { encoding: "utf8" });
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout) as { readonly seconds: number; readonly busy: number };
  });
  const same = readFileSync(join(folder, "out1.jsonl")).equals(readFileSync(join(folder, "out2.jsonl")));
  if (!same) throw new Error("two workers give other bytes than one");
  const [one, two] = runs;
  publish(
    "Measuring raw data",
    `${count.toLocaleString("en")} samples of ${(bytes / count / 1000).toFixed(2)} kB and a JPEG each, tables cold at first; CPU time of one core. Samples are measured here from their JSON to their loads; Python gets the texts for nothing, and takes encode_batch_fast and Pillow's Image.open for each.`,
    ["Tokenizer", "tokens", "in Python", "ratio", "samples/s", "in Python", "ratio"],
    rows,
    [
      ...(theirs
        ? [`Pillow takes ${((theirs.pictures[1] / count) * 1e6).toFixed(0)} us for the size of a picture.`]
        : []),
      `${many.toLocaleString("en")} samples with one worker: ${one.seconds.toFixed(1)} s, with two: ${two.seconds.toFixed(1)} s (${(one.seconds / two.seconds).toFixed(2)}x), from the first batch on. The main thread is at work for ${(one.busy * 100).toFixed(0)} % of the time with one, ${(two.busy * 100).toFixed(0)} % with two.`,
    ],
  );
} finally {
  rmSync(folder, { recursive: true });
}
