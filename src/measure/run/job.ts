// A run: from what a user names as data to a file of lengths.
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { integer, onlyNames, take } from "../../core/options.ts";
import type { Format, Pieces } from "../../write/format.ts";
import { openOutput, writeAs } from "../../write/output.ts";
import { BAD, COLUMNS, type Column } from "../columns.ts";
import type { Counted } from "../data/batch.ts";
import { type Data, type DataSet, type Meta, openData } from "../data/sources.ts";
import { modelSource } from "../load.ts";
import { type Model, tokenizerOf } from "../model.ts";
import { MEASURE_OPTIONS, type MeasureOptions } from "../options.ts";
import { type ModelSource, makeModel, needsLibrary, sourceTables } from "../source.ts";
import { TableCounter } from "../tokenizer/counter.ts";
import { libraryCounter } from "../tokenizer/library.ts";
import { Unrecognized } from "../tokenizer/tables.ts";
import { type LengthFormat, type Lengths, lengthFormats } from "./formats.ts";
import { type CounterSource, Measurer, type MeasurerSource, makeCounter } from "./measurer.ts";
import { Partial } from "./partial.ts";
import { Pool } from "./pool.ts";

/** What a run has measured. */
export interface MeasureResult {
  /** Samples measured, bad ones included. */
  readonly samples: number;
  /** How many of them could not be measured: -1 is written for these. */
  readonly bad: number;
  /** Why the first of them could not. */
  readonly firstBad: readonly string[];
  /** What `vit_num` counts. */
  readonly counts: "tiles" | "patches";
  /** The file of lengths. */
  readonly out: string;
  /** The file that lists the bad samples, and the settings of the run. */
  readonly report: string;
  /** Samples that an earlier, unfinished run had done. */
  readonly resumed: number;
  /** Worker threads used. */
  readonly workers: number;
}

/** Consecutive records of a set. */
interface Segment {
  readonly set: number;
  readonly from: number;
  readonly to: number;
  /** Whether the segment before it has the same records. */
  readonly isCopy: boolean;
}

/**
 * How many rows the tables are checked with, and the most characters of each: a library takes a second per megabyte.
 */
const CHECKED = 64;
const CHECKED_LENGTH = 1 << 16;

/** Between two checkpoints, in ms. */
const INTERVAL = 1000;

/** The ending decides where nothing else is said. */
function formatOf(out: string, options: MeasureOptions): LengthFormat {
  const ending = /\.([a-z]+)$/i.exec(out)?.[1]?.toLowerCase();
  const byEnding = lengthFormats.find(({ name }) => name === ending) ?? lengthFormats[0];
  const wanted = take(MEASURE_OPTIONS, "format", options, byEnding.name);
  return lengthFormats.find(({ name }) => name === wanted) as LengthFormat;
}

function checkPart({ part, metaOut }: MeasureOptions): void {
  if (part === undefined) return;
  const [i, n] = part;
  integer("part[1]", n, 1, 1_000_000);
  integer("part[0]", i, 0, n - 1);
  if (metaOut === undefined) return;
  throw new OptionError("INVALID_OPTION", "metaOut takes the lengths of all data, expected no part beside it");
}

/** What is to be measured, part by part; lengths are asked for where they decide. */
async function plan(
  sets: readonly DataSet[],
  part: readonly [number, number] | undefined,
  count: (set: number) => Promise<number>,
): Promise<Segment[]> {
  const segments: Segment[] = [];
  if (part === undefined) {
    for (const [set, { repeat }] of sets.entries()) {
      // The end of a file is found when it is there, unless a share or repetitions are asked for.
      const to = repeat === 1 ? Number.POSITIVE_INFINITY : Math.floor((await count(set)) * Math.min(repeat, 1));
      // A share of a small set may come to nothing.
      if (to === 0) continue;
      for (let pass = 0; pass < Math.max(repeat, 1); pass++) segments.push({ set, from: 0, to, isCopy: pass > 0 });
    }
    return segments;
  }
  const passes: { set: number; records: number; copies: number }[] = [];
  for (const [set, { repeat }] of sets.entries()) {
    passes.push({ set, records: Math.floor((await count(set)) * Math.min(repeat, 1)), copies: Math.max(repeat, 1) });
  }
  const total = passes.reduce((sum, { records, copies }) => sum + records * copies, 0);
  const [i, n] = part;
  const [first, end] = [Math.ceil((i * total) / n), Math.ceil(((i + 1) * total) / n)];
  let at = 0;
  for (const { set, records, copies } of passes) {
    for (let pass = 0; pass < copies; pass++) {
      const from = Math.max(first - at, 0);
      const to = Math.min(end - at, records);
      if (from < to) segments.push({ set, from, to, isCopy: false });
      at += records;
    }
  }
  return segments;
}

/** The first records, for a check. */
async function firstTexts(
  model: Model,
  data: Data,
  source: MeasurerSource,
): Promise<{ text: string; ranges: readonly number[] }[]> {
  const texts: { text: string; ranges: readonly number[] }[] = [];
  const recorder = {
    about: "",
    specials: 0,
    endOfAdded: (_text: string, at: number) => at,
    countAll: (all: readonly { text: string; ranges: readonly number[] }[]) => {
      texts.push(...all);
      return all.map(() => ({ tokens: 0, within: 0 }));
    },
  };
  for (const [set, { file }] of data.sets.entries()) {
    if (texts.length >= CHECKED) break;
    // Standard input is read once.
    if (file.path === "stdin") continue;
    const measurer = new Measurer(model.withCounter(recorder), recorder, source.sets);
    for await (const { batch } of file.batches(0, CHECKED)) {
      await measurer.measure(batch, set);
      break;
    }
  }
  return texts.slice(0, CHECKED);
}

/** What tables count otherwise than a library does, if anything, and how many samples were looked at. */
interface Checked {
  readonly samples: number;
  readonly difference?: string;
}

/** Chooses how texts are counted: tables where they count as a library does, else the library. */
async function chooseCounter(
  source: ModelSource,
  check: (fast: CounterSource, library: CounterSource) => Promise<Checked>,
): Promise<{ counter: CounterSource; note: string }> {
  const tables = sourceTables(source);
  if (tables === undefined) return { counter: { kind: "none" }, note: "none: texts are not counted" };
  const json = tokenizerOf(source.family, source.files) as Readonly<Record<string, unknown>>;
  const native = await libraryCounter(json);
  const library: CounterSource = { kind: "library", json, native: native?.about.includes("@") === false };
  if (tables instanceof Unrecognized) {
    if (native === undefined) throw needsLibrary(tables);
    return { counter: library, note: `${native.about}: ${tables.message}` };
  }
  const fast: CounterSource = { kind: "tables", tables };
  if (native === undefined) {
    const note = "by tables, unchecked: neither tokenizers nor @huggingface/tokenizers is installed";
    return { counter: fast, note };
  }
  const { samples, difference } = await check(fast, library);
  if (difference !== undefined) {
    return { counter: library, note: `${native.about}: tables count otherwise (${difference})` };
  }
  const name = native.about.replace(/^by the library /, "");
  const seen = samples === 1 ? "the first sample" : `the first ${samples} samples`;
  return { counter: fast, note: samples === 0 ? "by tables, unchecked" : `by tables; ${name} agrees on ${seen}` };
}

/** How the first texts are counted by tables and by a library. */
async function compareCounters(
  texts: readonly { text: string; ranges: readonly number[] }[],
  fast: CounterSource,
  library: CounterSource,
): Promise<Checked> {
  const [a, b] = [await makeCounter(fast), await makeCounter(library)];
  if (a === undefined || b === undefined || !(a instanceof TableCounter)) return { samples: 0 };
  const plain = texts
    .map(({ text }) => ({ text: text.slice(0, CHECKED_LENGTH).replace(/\p{Surrogate}$/u, ""), ranges: [] }))
    .filter(({ text }) => !/\p{Surrogate}/u.test(text));
  const wanted = await b.countAll(plain);
  for (const [i, { text }] of plain.entries()) {
    const tokens = a.count(text);
    if (tokens !== wanted[i].tokens) {
      return { samples: plain.length, difference: `${tokens} and ${wanted[i].tokens} tokens in row ${i}` };
    }
  }
  return { samples: plain.length };
}

/** A line for the report. */
const line = (value: unknown) => `${JSON.stringify(value)}\n`;

/**
 * Measures data sets and writes their lengths. Progress is kept beside `out` until it is complete: if a run is killed,
 * the same call resumes it, and writes the same bytes.
 *
 * @throws InputError, OptionError for data, a model or options that cannot be used; the signal's reason.
 */
export async function measure(
  paths: readonly string[],
  modelName: string,
  out: string,
  options: MeasureOptions = {},
): Promise<MeasureResult> {
  onlyNames("measure", options, MEASURE_OPTIONS);
  const format = formatOf(out, options);
  const columns = options.columns ?? COLUMNS;
  for (const name of columns) {
    if (!COLUMNS.includes(name))
      throw new OptionError("INVALID_OPTION", `columns has ${JSON.stringify(name)}, known are ${COLUMNS.join(", ")}`);
  }
  checkPart(options);
  const reportPath = `${out}.report.jsonl`;
  // A wrong name, or another run that is writing there, is reported before the work.
  openOutput(format, out, paths).close();
  await format.prepare?.();
  const { images, part } = options;
  const workers = take(MEASURE_OPTIONS, "workers", options, availableParallelism());
  const source = await modelSource(modelName, options);
  // Without its tokenizer: what data need to know of it.
  const bare = makeModel(source, undefined);
  const data = await openData(paths, { images, exif: bare.exif, stdin: options.stdin ?? process.stdin });
  const { tokenizer: _tokenizer, ...modelOptions } = options;
  const { "tokenizer.json": _json, ...files } = source.files;
  const sent: Omit<MeasurerSource, "counter"> = {
    model: {
      family: source.family.name,
      files,
      options: pickModelOptions({ ...modelOptions, ...source.options }),
    },
    sets: data.sets.map(({ root, base, set }) => ({ root, base, set })),
  };
  const { counter, note } = await chooseCounter(source, async (fast, library) =>
    compareCounters(await firstTexts(bare, data, { ...sent, counter: fast }), fast, library),
  );
  const model = makeModel(source, await makeCounter(counter));
  describe(model, note, options.onNote);

  const key = keyOf({ paths, source, sent, data, part, counter: counter.kind });
  const partial = Partial.open(out, key, options.restart === true);
  const { samples: resumed } = partial.progressed;
  let pool: Pool | undefined;
  try {
    pool = new Pool({ ...sent, counter }, workers);
    await collect(data, part, partial, pool, options);
    await finish({ data, partial, format, columns, out, reportPath, model, note, options, part });
    const { samples, bad } = partial.progressed;
    const firstBad: string[] = [];
    for (const problem of partial.problems()) {
      if (firstBad.length === 5) break;
      const { sample, set, record, why } = JSON.parse(problem) as {
        sample: number;
        set: string;
        record: number;
        why: string;
      };
      firstBad.push(`sample ${sample} (${set}, record ${record}): ${why}`);
    }
    partial.remove();
    return { samples, bad, firstBad, counts: model.counts, out, report: reportPath, resumed, workers };
  } catch (error) {
    partial.close();
    throw error;
  } finally {
    await pool?.close();
  }
}

function pickModelOptions({ set, template, content, exif }: MeasureOptions) {
  return {
    ...(set !== undefined && { set }),
    ...(template !== undefined && { template }),
    ...(content !== undefined && { content }),
    ...(exif !== undefined && { exif }),
  };
}

function describe(model: Model, note: string, tell: ((text: string) => void) | undefined): void {
  if (tell === undefined) return;
  tell(`model    ${model.family.name} (${model.family.about}): vit_num counts ${model.counts}`);
  for (const [kind, parameters] of Object.entries(model.parameters)) {
    tell(
      `${kind.padEnd(8)} ${Object.entries(parameters)
        .map(
          ([name, value]) =>
            `${name}=${Array.isArray(value) && value.length > 6 ? `${value.length} pairs` : JSON.stringify(value).replaceAll("],[", "], [")}`,
        )
        .join(" ")}`,
    );
  }
  tell(
    `exif     ${model.exif}${model.exif === "ignore" ? ": pictures as they are stored" : ": pictures turned as their orientation says"}`,
  );
  tell(`chat     ${model.format === undefined ? "none" : `${model.format.name}; labels are ${model.format.labels}`}`);
  tell(`tokens   ${note}`);
}

/** What decides about the bytes of a run. */
function keyOf({
  paths,
  source,
  sent,
  data,
  part,
  counter,
}: {
  paths: readonly string[];
  source: ModelSource;
  sent: Omit<MeasurerSource, "counter">;
  data: Data;
  part: readonly [number, number] | undefined;
  counter: CounterSource["kind"];
}): string {
  const files = data.sets.map(({ file, repeat }) => {
    const stats = file.path === "stdin" ? undefined : statSync(file.path);
    return [file.path, stats?.size, stats?.mtimeMs, repeat];
  });
  const hash = createHash("sha256");
  hash.update(JSON.stringify({ paths, sent, files, part, counter, columns: COLUMNS }));
  hash.update(JSON.stringify(source.files["tokenizer.json"] ?? null));
  return hash.digest("hex");
}

/** Measures what is not done yet, in order. */
async function collect(
  data: Data,
  part: MeasureOptions["part"],
  partial: Partial,
  pool: Pool,
  options: MeasureOptions,
): Promise<void> {
  const { sets } = data;
  const counts = new Map<number, number>();
  const count = async (set: number) => {
    let known = counts.get(set);
    if (known === undefined) {
      options.onProgress?.({ stage: "counting", samples: 0, before: 0, share: undefined });
      known = await sets[set].file.count();
      counts.set(set, known);
    }
    return known;
  };
  const segments = await plan(sets, part, count);
  const sizes = segments.map(({ set, to, isCopy }) => (!isCopy && to > 0 ? (sets[set].file.size ?? Number.NaN) : 0));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  // Where all records were counted, they say more of the time than bytes do.
  const total = segments.reduce((sum, { from, to }) => sum + to - from, 0);
  const before = partial.progressed.samples;
  let doneBytes = 0;
  let last = performance.now();
  const report = (bytes: number) => {
    doneBytes += bytes;
    const { samples } = partial.progressed;
    const share = Number.isFinite(total) ? samples / Math.max(total, 1) : doneBytes / totalBytes;
    options.onProgress?.({
      stage: "measuring",
      samples,
      before,
      share: Number.isNaN(share) ? undefined : Math.min(share, 1),
    });
  };
  const keep = () => {
    if (performance.now() - last < INTERVAL) return;
    partial.checkpoint();
    last = performance.now();
  };
  let start = 0;
  for (const [s, segment] of segments.entries()) {
    const finished = partial.progressed.segments[s];
    if (finished !== undefined) {
      start += finished;
      doneBytes += sizes[s];
      continue;
    }
    const skip = partial.progressed.samples - start;
    const records = !segment.isCopy
      ? await measureSegment(sets, segment, skip, start, partial, pool, { report, keep, signal: options.signal })
      : copySegment(segment, skip, start - (segment.to - segment.from) * repeatsBefore(segments, s), partial, start);
    partial.endSegment(records);
    partial.checkpoint();
    last = performance.now();
    start += records;
  }
}

/** How many copies of a segment stand before it. */
function repeatsBefore(segments: readonly Segment[], s: number): number {
  let count = 0;
  while (segments[s - count].isCopy) count++;
  return count;
}

interface Watch {
  readonly report: (bytes: number) => void;
  readonly keep: () => void;
  readonly signal: AbortSignal | undefined;
}

/** Measures a segment's records from number `skip` on; returns how many it has. */
async function measureSegment(
  sets: readonly DataSet[],
  { set, from, to }: Segment,
  skip: number,
  start: number,
  partial: Partial,
  pool: Pool,
  { report, keep, signal }: Watch,
): Promise<number> {
  const { file, name } = sets[set];
  let done = skip;
  // Batches that are under way, in the order of their records.
  const under: { counted: Counted; measured: ReturnType<Pool["measure"]> }[] = [];
  const settle = async () => {
    const next = under.shift();
    if (next === undefined) return;
    const { counted } = next;
    const { values, problems } = await next.measured;
    if (values.length !== counted.records * COLUMNS.length) throw new Error("a batch came back with other records");
    const bad = new Map([...problems, ...counted.problems]);
    for (const place of bad.keys()) values.fill(BAD, place * COLUMNS.length, (place + 1) * COLUMNS.length);
    const lines = [...bad]
      .sort(([a], [b]) => a - b)
      .map(([place, why]) =>
        JSON.stringify({ sample: start + done + place, set: name, record: from + done + place, why }),
      );
    partial.add(values, lines);
    done += counted.records;
    report(counted.bytes);
    keep();
  };
  try {
    for await (const counted of file.batches(from + skip, to)) {
      signal?.throwIfAborted();
      const measured = pool.measure(set, counted.batch);
      measured.catch(() => {});
      under.push({ counted, measured });
      if (under.length >= pool.room) await settle();
    }
    while (under.length > 0) await settle();
  } finally {
    await Promise.allSettled(under.map(({ measured }) => measured));
  }
  return done;
}

/** Writes a segment's samples again, which stand from `first` on. */
function copySegment(
  { from, to, set: _set }: Segment,
  skip: number,
  first: number,
  partial: Partial,
  start: number,
): number {
  const records = to - from;
  const shift = start - first;
  const piece = 4096;
  const problems = partial.problems();
  let pending: string[] = [];
  // Bad samples of the first time, in order, moved to this one.
  const found: { sample: number; text: string }[] = [];
  for (const text of problems) {
    const { sample, ...rest } = JSON.parse(text) as { sample: number };
    if (sample >= first + skip && sample < first + records)
      found.push({ sample: sample + shift, text: JSON.stringify({ sample: sample + shift, ...rest }) });
  }
  let at = 0;
  for (let done = skip; done < records; done += piece) {
    const count = Math.min(piece, records - done);
    pending = [];
    while (at < found.length && found[at].sample < start + done + count) pending.push(found[at++].text);
    partial.add(partial.read(first + done, count), pending);
  }
  return records;
}

interface Finish {
  readonly data: Data;
  readonly partial: Partial;
  readonly format: LengthFormat;
  readonly columns: readonly Column[];
  readonly out: string;
  readonly reportPath: string;
  readonly model: Model;
  readonly note: string;
  readonly options: MeasureOptions;
  readonly part: MeasureOptions["part"];
}

/** Writes the lengths, the report and, where asked for, a meta file. */
async function finish({
  data,
  partial,
  format,
  columns,
  out,
  reportPath,
  model,
  note,
  options,
  part,
}: Finish): Promise<void> {
  const { samples, bad, segments } = partial.progressed;
  options.onProgress?.({ stage: "writing", samples, before: samples, share: 1 });
  const about = {
    version: 1,
    vit: model.counts,
    model: model.family.name,
    parameters: model.parameters,
    exif: model.exif,
    chat: model.format?.name ?? null,
    labels: model.format?.labels ?? null,
    counted: note,
    columns,
  };
  const lengths: Lengths = {
    path: partial.columnsPath,
    first: 0,
    samples,
    columns,
    // Of parts the first alone has it, so that they join to what the whole would be.
    header: options.header === true && (part === undefined || part[0] === 0) ? about : undefined,
  };
  const sets = setLines(data, segments, part);
  const reportFormat: Format<null> = {
    name: "report",
    about: "",
    file: function* (): Pieces {
      const encoder = new TextEncoder();
      yield encoder.encode(line({ report: about, samples, bad, ...(part && { part }), sets }));
      for (const problem of partial.problems()) yield encoder.encode(`${problem}\n`);
    },
  };
  await writeAs(reportFormat, null, reportPath);
  if (options.metaOut !== undefined) await writeMetas(data, segments, lengths, options.metaOut);
  await writeAs(format, lengths, out);
}

/** Samples of each set, and how often its records come. */
function setLines(data: Data, segments: readonly number[], part: MeasureOptions["part"]): unknown[] {
  if (part !== undefined) return data.sets.map(({ name, repeat }) => ({ set: name, ...(repeat !== 1 && { repeat }) }));
  let at = 0;
  let s = 0;
  return data.sets.map(({ name, repeat }) => {
    const passes = Math.max(Math.floor(repeat), 1);
    const samples = segments.slice(s, s + passes).reduce((sum, count) => sum + count, 0);
    s += passes;
    const first = at;
    at += samples;
    return { set: name, first, samples, ...(repeat !== 1 && { repeat }) };
  });
}

/** The meta files as they were, with a file of lengths for each entry. */
async function writeMetas(
  { sets, metas }: Data,
  segments: readonly number[],
  lengths: Lengths,
  out: string,
): Promise<void> {
  if (metas.length !== 1) {
    throw new OptionError(
      "INVALID_OPTION",
      `a meta file is written for one that is read; ${metas.length} are among the data`,
    );
  }
  const [meta] = metas as [Meta];
  const folder = dirname(out);
  const list = lengthFormats.find(({ name }) => name === "json") as LengthFormat;
  const written: Record<string, unknown> = {};
  let first = 0;
  let s = 0;
  for (const { name, repeat } of sets) {
    const passes = Math.max(Math.floor(repeat), 1);
    const samples = segments.slice(s, s + passes).reduce((sum, count) => sum + count, 0);
    s += passes;
    if (Object.hasOwn(meta.entries, name)) {
      const file = `${basename(out, ".json")}.${fileName(name)}.token_lengths.json`;
      await writeAs(list, { ...lengths, first, samples }, join(folder, file));
      written[name] = { ...meta.entries[name], token_lengths: file };
    }
    first += samples;
  }
  const encoder = new TextEncoder();
  const format: Format<null> = {
    name: "meta",
    about: "",
    file: () => [encoder.encode(`${JSON.stringify(written, null, 2)}\n`)],
  };
  await writeAs(format, null, out);
}

/** A name as a file's. */
function fileName(name: string): string {
  return name.replaceAll(/[^\w.+-]/g, "_").slice(0, 120);
}
