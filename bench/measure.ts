// npm run bench:measure [-- SAMPLES [PYTHON]]: tokens and picture sizes, here and by Python's libraries (tokenizers with
// encode_batch_fast, Pillow), in CPU time of one core, on a corpus that repeats no text; then the whole command with one
// worker and with two. Python is left out where PYTHON (default .venv/bin/python) lacks the libraries.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
for r in records[:2000]:
    with Image.open(os.path.join(folder, r["image"])) as image: image.size
out["pictures"] = [0, time.process_time() - begun]
print(json.dumps(out))
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

  const rate = (seconds: number) => `${(bytes / seconds / 1e6).toFixed(2)} MB/s`;
  const rows: string[][] = [];
  for (const [i, name] of NAMES.entries()) {
    const counter = new TableCounter(compile(tokenizerJson(name)));
    const begun = process.cpuUsage();
    let tokens = 0;
    for (const text of texts) tokens += counter.count(text);
    const { user, system } = process.cpuUsage(begun);
    const own = (user + system) / 1e6;
    const other = theirs?.[files[i]];
    if (other !== undefined && other[0] !== tokens) throw new Error(`${name}: ${tokens} tokens, Python ${other[0]}`);
    rows.push([name, rate(own), other ? rate(other[1]) : "-", other ? `${(other[1] / own).toFixed(1)}x` : "-"]);
  }

  // The whole command: threads that only wait take no CPU time, so that it is the wall clock that two workers halve.
  modelFolder(join(folder, "model"));
  writeFileSync(join(folder, "model/tokenizer.json"), JSON.stringify(tokenizerJson("qwen3")));
  const times = [1, 2].map((workers) => {
    const begun = performance.now();
    const args = [
      "measure",
      "corpus.jsonl",
      "--model",
      "model",
      "-o",
      `out${workers}.jsonl`,
      "--workers",
      `${workers}`,
    ];
    const run = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), ...args, "-q"], { cwd: folder });
    if (run.status !== 0) throw new Error(String(run.stderr));
    return (performance.now() - begun) / 1000;
  });
  const same = readFileSync(join(folder, "out1.jsonl")).equals(readFileSync(join(folder, "out2.jsonl")));
  if (!same) throw new Error("two workers give other bytes than one");
  publish(
    "Counting tokens of raw data",
    `${count.toLocaleString("en")} samples of ${(bytes / count / 1000).toFixed(2)} kB, tables cold at first; CPU time of one core, JSON not included.`,
    ["Tokenizer", "omnibal", "tokenizers in Python", "ratio"],
    rows,
    [
      ...(theirs
        ? [`Pillow takes ${((theirs.pictures[1] / 2000) * 1e6).toFixed(0)} us for the size of a picture.`]
        : []),
      `The whole command with one worker: ${times[0].toFixed(1)} s, with two: ${times[1].toFixed(1)} s (${(times[0] / times[1]).toFixed(2)}x), start included.`,
    ],
  );
} finally {
  rmSync(folder, { recursive: true });
}
