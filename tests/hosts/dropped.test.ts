// Files dropped on a page of a real browser, of every format, are read there as they are in Node.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page as BrowserPage } from "playwright-core";
import { afterAll, describe, expect } from "vitest";
import { load } from "../../src/index.ts";
import { readLengths } from "../../src/read/index.ts";
import { packingFiles, planFiles } from "../../src/write/bytes.ts";
import { testFolder } from "../folder.ts";
import { npy } from "../npy-bytes.ts";
import { samples } from "../samples.ts";
import { removeApp } from "./app.ts";
import { missing, withPage } from "./chromium.ts";
import { byEsbuild, byVite } from "./pages.ts";
import type { Page } from "./server.ts";
import { whenThere } from "./when-there.ts";

interface Seen {
  readonly hash?: string;
  readonly error?: string;
  readonly code?: string;
  readonly files?: unknown;
}

interface Answer {
  readonly ways: Record<string, Record<string, Seen> & { progress: unknown }>;
  readonly trip: {
    readonly out: Record<string, { readonly same: boolean; readonly hashes: Record<string, string> }>;
    readonly missing: string;
    readonly path: string;
  };
}

const WAYS = ["file", "blob", "buffer", "stream", "slices"];

afterAll(removeApp);

const folder = testFolder();
const { vit, tokens } = samples("tiled:20000");
const rows = Array.from(vit, (v, i): [number, number] => [v, tokens[i]]);
const lines = rows.map(([v, t]) => `{"vit_num":${v},"token_num":${t}}`);
const text = `[${lines}]`;
const csv = `vit_num,note,token_num\r\n${rows.map(([v, t]) => `${v},"ä ""quoted"", 字",${t}`).join("\r\n")}\n`;
const packed = gzipSync(lines.slice(1).join("\n"));

/** What is dropped, and is all the same samples. The first comes first. */
const good: Record<string, string | Uint8Array> = {
  "a.json": text,
  "a.jsonl": lines.join("\n"),
  "a.csv": csv,
  "a.tsv": `vit_num\ttoken_num\n${rows.map((row) => row.join("\t")).join("\n")}\n`,
  "a.npy": npy(rows, { descr: "<i4" }),
  "a.json.gz": gzipSync(text),
  "a.csv.gz": gzipSync(csv),
  "a.npy.gz": gzipSync(npy(rows, { descr: "<i4" })),
  "members.jsonl.gz": Buffer.concat([gzipSync(`${lines[0]}\n`), gzipSync(""), packed, Buffer.alloc(70_000)]),
};

const damaged = Buffer.from(gzipSync(text));
damaged[damaged.length - 6] ^= 1;
const bad: Record<string, readonly [content: string | Uint8Array, message: string]> = {
  "broken.json": [
    '[{"vit_num":1,"token_num":-1}]',
    "record 0, byte 26: token_num is -1, expected a whole number from 0 to 9007199254740991, written as digits",
  ],
  "broken.csv": [
    "vit_num,token_num\n1,2\n1,x\n",
    'line 3: token_num is "x", expected a whole number from 0 to 9007199254740991',
  ],
  "ragged.csv": ["vit_num,token_num\n1,2\n1\n", "line 3: has another number of values than the header"],
  "cut.json.gz": [packed.subarray(0, -1), "the gzip data ends too early, it is cut short"],
  "damaged.json.gz": [damaged, "the gzip data is damaged (incorrect data check)"],
  "followed.json.gz": [Buffer.concat([packed, Buffer.alloc(9), packed]), "the gzip data is followed by something else"],
  "a.parquet": ["PAR1\0\0", "is Parquet, which is not supported: convert it to JSON Lines or .npy first"],
  "meta.json": [
    '{"a":{"token_lengths":"a.json"}}',
    "is a meta file, whose paths are followed only if it is given by its own: give the files that it names",
  ],
};

const paths = [
  ...Object.entries(good),
  ...Object.entries(bad).map(([name, [content]]) => [name, content] as const),
].map(([name, content]) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
});

const hash = (...bytes: readonly Uint8Array[]) =>
  bytes.reduce((h, own) => h.update(own), createHash("sha256")).digest("hex");

async function chosen(page: BrowserPage): Promise<Answer> {
  await page.waitForFunction(() => document.title === "ready");
  await page.setInputFiles("input", paths);
  return page.evaluate(() => (window as unknown as { answer: Promise<Answer> }).answer);
}

/** The files chosen, which the browser reads from the disk, are dropped. */
async function dropped(page: BrowserPage): Promise<Answer> {
  await page.waitForFunction(() => document.title === "ready");
  await page.setInputFiles("input", paths);
  return page.evaluate(async () => {
    const own = window as unknown as { answer?: Promise<Answer> };
    await own.answer;
    delete own.answer;
    const dataTransfer = new DataTransfer();
    for (const file of document.querySelector("input")?.files ?? []) dataTransfer.items.add(file);
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    return own.answer as unknown as Promise<Answer>;
  });
}

/** With esbuild the page has to say where the module is: readers without an instance would not find it. */
const OWN = "its own instance";

const pages: Record<string, readonly [() => Promise<Page>, (page: BrowserPage) => Promise<Answer>]> = {
  "dropped on a page built by Vite": [() => byVite("vite-reader"), dropped],
  "chosen on a page built by esbuild": [() => byEsbuild("reader.html", "bundled-reader.js"), chosen],
};

describe.each(Object.entries(pages))("Chromium, files %s", (name, [page, give]) => {
  const allWays = name.includes("esbuild") ? WAYS : [...WAYS, OWN];

  whenThere(missing())("are read as in Node, and what is made of them is written and read again", async () => {
    const built = await page();
    const { ways, trip } = await withPage(built.folder, built.path, give);
    const samplesHash = hash(new Uint8Array(vit.buffer), new Uint8Array(tokens.buffer));
    for (const name of Object.keys(good)) {
      for (const way of allWays) {
        expect([name, way, ways[name][way]]).toEqual([
          name,
          way,
          { hash: samplesHash, files: [{ path: name, samples: vit.length }] },
        ]);
      }
      const [last, size] = ways[name].progress as unknown as [number[], number];
      expect([name, last]).toEqual([name, [size, size]]);
    }
    for (const [name, [, message]] of Object.entries(bad)) {
      // What cannot be read twice cannot be looked into for the names of files either.
      for (const way of allWays.filter((way) => name !== "meta.json" || way !== "stream")) {
        expect([way, ways[name][way].error]).toEqual([way, `${name}: ${message}`]);
      }
    }

    const omnibal = await load();
    const lengths = await readLengths({ name: "a.json", data: new Blob([text]) }, { omnibal });
    const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 });
    const plan = omnibal.plan(packing, { ranks: 4 });
    const hashes = (files: ReadonlyMap<string, Iterable<Uint8Array>>) =>
      Object.fromEntries(Array.from(files, ([name, pieces]) => [name, hash(...pieces)]));
    for (const format of ["json", "jsonl", "npy", "xtuner"]) {
      const own = hashes(packingFiles(omnibal, packing, lengths, format));
      expect([format, trip.out[format]]).toEqual([format, { same: true, hashes: own }]);
    }
    for (const format of ["json", "npy"]) {
      const own = hashes(planFiles(omnibal, plan, packing, lengths, format));
      expect([format, trip.out[`plan ${format}`]]).toEqual([format, { same: true, hashes: own }]);
    }
    expect(trip.missing).toBe("indices.npy: no such file");
    expect(trip.path).toBe(
      "INVALID_OPTION: paths can be read in Node and Deno only: give a File, a ReadableStream, bytes or { byteLength, slice }",
    );
  });
});
