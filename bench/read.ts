// Reading a JSON file of 700,000 records, indented as Python's json.dump(indent=4) writes it (60 MB), from the disk into two
// Int32Arrays: readLengths against JSON.parse and the streaming parsers.
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseChunked } from "@discoveryjs/json-ext";
import streamArray from "stream-json/streamers/stream-array.js";
import { Bench } from "tinybench";
import { toVitTokens } from "../src/core/lengths.ts";
import { readLengths } from "../src/read/index.ts";
import { type Samples, tiled } from "./inputs.ts";

interface Record {
  readonly vit_num: number;
  readonly token_num: number;
}

const input = tiled(700_000);
const folder = mkdtempSync(join(tmpdir(), "omnibal-bench-"));

function write(name: string, records: Iterable<unknown>, indent: number | undefined): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(Array.from(records), null, indent));
  return path;
}

function toColumns(records: readonly Record[]): Samples {
  return { vit: Int32Array.from(records, (r) => r.vit_num), tokens: Int32Array.from(records, (r) => r.token_num) };
}

async function streamed(path: string): Promise<Samples> {
  const vit: number[] = [];
  const tokens: number[] = [];
  await pipeline(createReadStream(path), streamArray.withParserAsStream(), async (items: AsyncIterable<unknown>) => {
    for await (const item of items) {
      const { vit_num, token_num } = (item as { value: Record }).value;
      vit.push(vit_num);
      tokens.push(token_num);
    }
  });
  return { vit: Int32Array.from(vit), tokens: Int32Array.from(tokens) };
}

const readers: { [name: string]: (path: string) => Samples | Promise<Samples> } = {
  readLengths: async (path) => toVitTokens(await readLengths([path])),
  "JSON.parse": (path) => toColumns(JSON.parse(readFileSync(path, "utf8")) as Record[]),
  "@discoveryjs/json-ext": async (path) => toColumns((await parseChunked(createReadStream(path))) as Record[]),
  "stream-json": streamed,
};

try {
  const records = Array.from(input.vit, (v, i) => ({ vit_num: v, token_num: input.tokens[i], image_flags: v }));
  for (const [name, indent] of [
    ["indented", 4],
    ["compact", undefined],
  ] as const) {
    const path = write(`${name}.json`, records, indent);
    const megabytes = statSync(path).size / 1e6;
    const bench = new Bench({ iterations: 3, time: 0, warmupIterations: 1, warmupTime: 0, throws: true });
    for (const [reader, read] of Object.entries(readers)) {
      bench.add(reader, async () => {
        const { vit, tokens } = await read(path);
        // A reader that is fast because it is wrong must not win.
        if (Buffer.compare(Buffer.from(vit.buffer), Buffer.from(input.vit.buffer)) !== 0) throw new Error(reader);
        if (Buffer.compare(Buffer.from(tokens.buffer), Buffer.from(input.tokens.buffer)) !== 0) throw new Error(reader);
      });
    }
    await bench.run();
    console.log(`\n${name}, ${megabytes.toFixed(0)} MB`);
    console.table(
      bench.table(({ name, result }) => {
        if (!("latency" in result)) throw new Error(`${name} did not run`);
        const rate = megabytes / (result.latency.p50 / 1000);
        return { reader: name, "ms (median)": result.latency.p50.toFixed(0), "MB/s": rate.toFixed(0) };
      }),
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
