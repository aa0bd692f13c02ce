// npm run test:measure-hostile [-- MEGABYTES]: records that are far too long (default 1,024 MB), in every form that data come
// in, as streams and as files with holes. Each must be a bad sample between two good ones, or an error in one line, and
// take no more memory than any run does.
import { spawn } from "node:child_process";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { MAIN } from "../cli/run.ts";
import { modelFolder } from "../measure/model-folder.ts";
import { png, tar } from "../measure/pictures.ts";

const size = Number(process.argv[2] ?? 1024) * 1e6;
/** Resident bytes that a run may take, whatever it reads. */
const MOST = 700e6;
const folder = mkdtempSync(join(tmpdir(), "omnibal-hostile-"));
const good = '{"conversations":[{"from":"human","value":"What?"},{"from":"gpt","value":"a cat"}]}';
const head = `{"x":"`;
const tail = `",${good.slice(1)}`;

/** The pieces of a text with so many letters in the middle. */
function* long(before: string, after: string): Generator<Uint8Array> {
  yield Buffer.from(before);
  const piece = Buffer.alloc(1 << 20, 0x79);
  for (let left = size; left > 0; left -= piece.length) yield piece.subarray(0, left);
  yield Buffer.from(after);
}

/** A file with a hole of `size` bytes between two parts, which takes no room on the disk. */
function holed(name: string, before: Uint8Array, after: Uint8Array, at = before.length + size): string {
  const path = join(folder, name);
  const file = openSync(path, "w");
  writeSync(file, before, 0, before.length, 0);
  writeSync(file, after, 0, after.length, at);
  closeSync(file);
  return path;
}

/** An archive whose second file is `size` bytes long, of which those that are given come first. */
function shard(name: string, ending: string, content: Uint8Array): string {
  const block = 512;
  const small = tar([[`1.${ending}`, content]], false);
  const header = small.subarray(0, block);
  header.set(Buffer.from(`${size.toString(8).padStart(11, "0")}\0`), 124);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  const before = Buffer.concat([tar([["0.json", good]], false), small]);
  const at = before.length - (small.length - block) + Math.ceil(size / block) * block;
  const rest = tar(
    ending === "json"
      ? [["2.json", good]]
      : [
          ["1.json", good],
          ["2.json", good],
        ],
  );
  return holed(name, before, rest, at); // biome-ignore format: files
}

const SCHEMA: SchemaElement[] = [
  { name: "root", num_children: 1 },
  { name: "text", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
];

interface Ended {
  readonly code: number | null;
  readonly err: string;
  /** Bytes that were resident at the most. */
  readonly peak: number;
}

function run(data: string, out: string, input?: Readable): Promise<Ended> {
  const report = `process.on("exit",()=>process.stderr.write("PEAK "+process.resourceUsage().maxRSS+"\\n"))`;
  const args = ["measure", "--model", "model", "-q", "--workers=1", data, "-o", out];
  const child = spawn(process.execPath, ["--import", `data:text/javascript,${report}`, MAIN, ...args], {
    cwd: folder,
    stdio: ["pipe", "ignore", "pipe"],
  });
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  // A run that fails does not read to the end.
  child.stdin.on("error", () => {});
  if (input === undefined) child.stdin.end();
  else input.pipe(child.stdin);
  return new Promise((done) => {
    child.on("close", (code) => {
      // The worker's thread reports too.
      const peaks = Array.from(err.matchAll(/^PEAK (\d+)\n/gm), ([, kilobytes]) => Number(kilobytes) * 1024);
      done({ code, err: err.replaceAll(/^PEAK \d+\n/gm, ""), peak: Math.max(0, ...peaks) });
    });
  });
}

let wrong = 0;

function judge(
  name: string,
  { code, err, peak }: Ended,
  out: string,
  expected: readonly boolean[] | RegExp,
  most = MOST,
): void {
  const rows = code === 0 ? readFileSync(join(folder, out), "utf8").trim().split("\n") : [];
  const isBad = rows.map((row) => row.includes('"token_num":-1,'));
  const isRight =
    peak > 0 &&
    peak < most &&
    (expected instanceof RegExp
      ? code === 1 && expected.test(err)
      : code === 0 && JSON.stringify(isBad) === JSON.stringify(expected));
  if (!isRight) wrong++;
  const seen = code === 0 ? isBad.map((bad) => (bad ? "bad" : "good")).join(", ") : err.trim().slice(0, 200);
  console.log(`${isRight ? "ok   " : "WRONG"} ${name}: ${seen}; at most ${(peak / 1e6).toFixed(0)} MB`);
}

try {
  modelFolder(join(folder, "model"));
  const middle = [false, true, false];
  const lines = () => Readable.from(long(`${good}\n${head}`, `${tail}\n${good}\n`));
  judge("lines, a stream", await run("-", "a.jsonl", lines()), "a.jsonl", middle);
  const list = Readable.from(long(`[${good},${head}`, `${tail},${good}]`));
  judge("a list, a stream", await run("-", "b.jsonl", list), "b.jsonl", middle);
  const packed = lines().pipe(createGzip({ level: 1 }));
  judge("lines, packed", await run("-", "c.jsonl", packed), "c.jsonl", middle);
  const parts = [Buffer.from(`${good}\n${head}`), Buffer.from(`${tail}\n${good}\n`)] as const;
  judge("lines, a file", await run(holed("d.jsonl", ...parts), "d.out.jsonl"), "d.out.jsonl", middle);
  const endless = holed("e.jsonl", Buffer.from(`${good}\n`), Buffer.from("x"));
  judge("a line without an end", await run(endless, "e.out.jsonl"), "e.out.jsonl", [false, true]);
  const record = shard("f.tar", "json", Buffer.from(head));
  judge("a record in a tar archive", await run(record, "f.jsonl"), "f.jsonl", middle);
  const picture = shard("g.tar", "png", png(500, 300));
  judge("a picture in a tar archive", await run(picture, "g.jsonl"), "g.jsonl", [false, false, false]);
  const stream = join(folder, "h.tar.gz");
  await pipeline(createReadStream(picture), createGzip({ level: 1 }), createWriteStream(stream));
  judge("a picture in a packed tar archive", await run(stream, "h.jsonl"), "h.jsonl", [false, false, false]);
  const csv = holed("i.csv", Buffer.from('height,width,text\n5,5,"'), Buffer.from('"\n'));
  judge("a cell of CSV", await run(csv, "i.jsonl"), "i.jsonl", /^omnibal: .*i\.csv: line .*\n$/);
  // Parquet is decoded a page at a time, and a page has at least one value.
  const data = ["a cat", Buffer.alloc(Math.min(size, 600e6), 0x79), "a cat"].map((text) => Buffer.from(text));
  const columnData = [{ name: "text", data }];
  const parquet = parquetWriteBuffer({ columnData, schema: SCHEMA, statistics: false });
  writeFileSync(join(folder, "j.parquet"), new Uint8Array(parquet));
  judge("a text in Parquet", await run("j.parquet", "j.jsonl"), "j.jsonl", /^omnibal: .*rows .*\n$/, 4e9);
} finally {
  rmSync(folder, { recursive: true });
}
if (wrong > 0) process.exitCode = 1;
