// A packing from its file or folder, as `omnibal pack` writes it or as another tool does, checked against the samples
// it is a packing of: what reads it may then trust every index.
import type { HasCore } from "../core/core.ts";
import { InputError, show } from "../core/errors.ts";
import { invalidSamples } from "../core/invalid.ts";
import { baseLoads, columnsOf, type Lengths, type LoadColumn, toLengths } from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, onlyNames } from "../core/options.ts";
import { groupLoads } from "../pack/group-sums.ts";
import { type PackingMade, packingFingerprint } from "../pack/made.ts";
import { methods } from "../pack/methods.ts";
import { type ByLoad, type Packing, type PackingSettings, trustedPacking } from "../pack/packing.ts";
import { Column, type Watch } from "./columns.ts";
import { builtin } from "./host.ts";
import type { FileOf, Folder, Input, InputFile } from "./input.ts";
import { JsonText } from "./json-text.ts";
import { checkSamples, packingMadeIn } from "./made.ts";
import { readNpy } from "./npy.ts";
import { underWatch } from "./open.ts";
import { opened } from "./whole.ts";

/** What a packing is read against: lengths with their files, as `readLengths` gives them. */
export interface PackedLengths {
  /** Where the samples are from, in order; XTuner's folder names samples by file. */
  readonly files: readonly {
    /** What messages call the file. */
    readonly path: string;
    /** How many samples it holds. */
    readonly samples: number;
  }[];
  /** A column of each load, by its name. */
  readonly [load: string]: unknown;
}

/** What to call while a packing is read. */
export interface ReadPackingOptions {
  /** Called after each piece, with the bytes of all files of the packing. */
  readonly onProgress?: (bytesRead: number, totalBytes: number) => void;
  /** See `ReadOptions.onWait`. */
  readonly onWait?: (path: string) => void;
  /** Checked between pieces. */
  readonly signal?: AbortSignal;
}

const READ_PACKING_OPTIONS: NamesOf<ReadPackingOptions> = { onProgress: true, onWait: true, signal: true };

/** Where the samples are. */
interface Placed {
  readonly indices: Int32Array;
  readonly oversize: Int32Array;
  /** undefined where nobody says which are invalid. */
  readonly invalid: Int32Array | undefined;
}

/** The samples that a packing is checked against. */
interface Against {
  readonly columns: Lengths;
  readonly samples: number;
  readonly files: PackedLengths["files"];
}

/** A packing as its files have it, before anything is checked. */
interface Found {
  readonly offsets: Int32Array;
  /** XTuner's samples are known by their files. */
  readonly placed: (against: Against) => Placed;
  readonly stats?: unknown;
  /** undefined for a packing of another tool. */
  readonly made: PackingMade | undefined;
  /** What messages about `made` call its file. */
  readonly madePath: string;
}

function refuse(path: string, why: string): never {
  throw new InputError("INVALID_FILE", `${path}: ${why}`);
}

/**
 * One object with "groups", or one per line with "group" each, or a bare list of groups: "oversize", "invalid", "stats" and
 * "made" are taken where they are, other members are only checked to be JSON. "groups" that is a number, as the first line of JSON
 * Lines has it, says how many there are.
 */
async function readJson(file: InputFile, watch: Watch): Promise<Found> {
  const { path } = file;
  const source = await file.open(underWatch(watch));
  try {
    const text = new JsonText(source, watch);
    const offsets = new Column();
    const indices = new Column();
    const oversize = new Column();
    let invalid: Column | undefined;
    let stats: unknown;
    let made: unknown;
    let announced: unknown;
    let seen = false;
    let listed = false;
    offsets.push(0);
    const group = (): Promise<void> | undefined => {
      text.peek();
      if (text.list(indices) === undefined) {
        return text.lists(indices).then(() => offsets.push(indices.length));
      }
      offsets.push(indices.length);
      return undefined;
    };
    const member = async (name: string): Promise<void> => {
      if (name === "groups" && (await text.next()) !== 0x5b) {
        if (announced !== undefined) throw text.error("a second number of groups");
        seen = true;
        announced = await text.value();
        return;
      }
      if (name === "groups") {
        if (listed || offsets.length > 1) throw text.error("a second list of groups");
        listed = true;
        seen = true;
        return text.items(group);
      }
      if (name === "group") {
        seen = true;
        return text.lists(indices).then(() => offsets.push(indices.length));
      }
      if (name === "oversize") {
        seen = true;
        return text.lists(oversize);
      }
      if (name === "invalid") {
        invalid ??= new Column();
        return text.lists(invalid);
      }
      if (name === "stats") stats = await text.value();
      else if (name === "made") made = await text.value();
      else return text.skip();
    };
    const first = await text.next();
    if (first === 0x5b) {
      seen = true;
      await text.items(group);
    } else if (first === 0x7b) {
      while ((await text.next()) === 0x7b) await text.object(member);
    } else if (first !== -1) throw text.unexpected(first, "a packing: { or [");
    await text.finish();
    // JSON Lines without a group and an oversize sample are an empty file.
    if (!seen && first !== -1) refuse(path, 'no "groups" and no "group" in it, expected a packing');
    if (announced !== undefined) checkCount(path, announced, offsets.length - 1);
    const placed = {
      indices: indices.take(),
      oversize: oversize.take(),
      invalid: (invalid as Column | undefined)?.take(),
    };
    return { offsets: offsets.take(), placed: () => placed, stats, made: madeOf(path, made), madePath: path };
  } finally {
    await source.close();
  }
}

/** What a file has under `made`. */
function madeOf(path: string, value: unknown): PackingMade | undefined {
  return value === undefined ? undefined : packingMadeIn(path, value);
}

/** JSON Lines that were cut at the end of a line are JSON Lines still. */
function checkCount(path: string, announced: unknown, groups: number): void {
  if (announced === groups) return;
  if (typeof announced !== "number" || !Number.isInteger(announced)) {
    refuse(path, `groups is ${show(announced)}, expected a list or a number of groups`);
  }
  if (announced > groups) refuse(path, `the file ends after ${groups} of ${announced} groups`);
  refuse(path, `${groups} groups, its first line says ${announced}`);
}

/** `packing.json` of a folder; nothing where another tool has made it. */
async function readHead(fileOf: FileOf, watch: Watch): Promise<Readonly<Record<string, unknown>>> {
  const file = fileOf("packing.json");
  if (!(await file.exists())) return {};
  const source = await file.open();
  try {
    const text = new JsonText(source, watch);
    const members: Record<string, unknown> = {};
    await text.object(async (name) => {
      members[name] = await text.value();
    });
    const after = await text.next();
    if (after !== -1) throw text.unexpected(after, "the end of the file");
    return members;
  } finally {
    await source.close();
  }
}

async function readVector(file: InputFile, watch: Watch): Promise<Int32Array> {
  return (await readNpy(file, 1, watch)).values;
}

/** A list that a folder of another tool need not have. */
async function readList(file: InputFile, watch: Watch): Promise<Int32Array | undefined> {
  return (await file.exists()) ? readVector(file, watch) : undefined;
}

async function readFolder(fileOf: FileOf, watch: Watch): Promise<Found> {
  const { stats, made: given } = await readHead(fileOf, watch);
  const madePath = fileOf("packing.json").path;
  const made = madeOf(madePath, given);
  const offsets = await readVector(fileOf("offsets.npy"), watch);
  const placed = {
    indices: await readVector(fileOf("indices.npy"), watch),
    oversize: (await readList(fileOf("oversize.npy"), watch)) ?? new Int32Array(0),
    invalid: await readList(fileOf("invalid.npy"), watch),
  };
  return { offsets, placed: () => placed, stats, made, madePath };
}

/** The same for all ways to name a file, where there are such. */
function resolved(path: string): string {
  return builtin("node:path")?.resolve(path) ?? path;
}

function refuseName(path: string, name: unknown): never {
  return refuse(path, `names ${show(name)}, which is not among the files given`);
}

/** Where the samples of each path begin, among those that were read. */
function startsOf(path: string, paths: readonly unknown[], { files }: Against): number[] {
  const starts = new Map<string, number[]>();
  let start = 0;
  for (const file of files) {
    const own = starts.get(resolved(file.path)) ?? [];
    own.push(start);
    starts.set(resolved(file.path), own);
    start += file.samples;
  }
  return paths.map((name) => {
    // A file that was given twice counts twice, in this order.
    const own = typeof name === "string" ? starts.get(resolved(name)) : undefined;
    const at = own !== undefined && own.length > 1 ? own.shift() : own?.[0];
    return at ?? refuseName(path, name);
  });
}

/** Where the samples of each path begin, by how many each had when the folder was written: whatever they are called now. */
function startsIn(path: string, files: unknown, paths: readonly unknown[], samples: number): number[] {
  if (!Array.isArray(files) || files.length !== paths.length) {
    refuse(path, `files is ${show(files)}, expected one per path, ${paths.length}`);
  }
  let start = 0;
  const starts = (files as unknown[]).map((file, i) => {
    const size: unknown = (file as Record<string, unknown> | null)?.samples;
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0) {
      refuse(path, `files[${i}].samples is ${show(size)}, expected a number of samples`);
    }
    const own = start;
    start += size;
    return own;
  });
  if (start !== samples) refuse(path, `its files have ${start} samples, expected ${samples}`);
  return starts;
}

/** XTuner's rows: path_id, sample_idx in that file, characters, tokens. */
const ROW = 6;

interface Rows {
  readonly path: string;
  readonly count: number;
  readonly values: Int32Array;
}

async function readRows(file: InputFile, watch: Watch): Promise<Rows> {
  const { path } = file;
  const { shape, values } = await readNpy(file, 2, watch);
  if (shape[1] !== ROW) refuse(path, `shape is (${shape.join(", ")}), expected (n, ${ROW})`);
  return { path, count: shape[0], values };
}

/** The samples that rows are of, whole ones. `starts`: where those of each path begin. */
function samplesOf(
  { path, count, values }: Rows,
  starts: readonly number[],
  { columns, samples }: Against,
): Int32Array {
  const { tokens } = columns;
  return Int32Array.from({ length: count }, (_, row) => {
    const [pathId, index, charStart, charEnd, from, to] = values.subarray(row * ROW, row * ROW + ROW);
    if (!(pathId >= 0 && pathId < starts.length))
      refuse(path, `row ${row}: path ${pathId}, there are ${starts.length}`);
    const sample = starts[pathId] + index;
    if (index < 0 || sample >= samples) refuse(path, `row ${row}: sample ${index} is not in its file`);
    if (charStart !== -1 || charEnd !== -1 || from !== 0) {
      refuse(path, `row ${row}: a part of a sample, expected whole ones`);
    }
    if (tokens !== undefined && to !== tokens[sample]) {
      const seen = `${to} tokens, sample ${sample} has ${tokens[sample]}`;
      refuse(path, `row ${row}: ${seen}: packed from other lengths`);
    }
    return sample;
  });
}

async function readXtuner(fileOf: FileOf, watch: Watch): Promise<Found> {
  const pathsFile = fileOf("paths.json");
  const source = await pathsFile.open(underWatch(watch));
  const paths: unknown[] = [];
  try {
    const text = new JsonText(source, watch);
    if ((await text.next()) === 0x5b) await text.items(async () => void paths.push(await text.value()));
    else refuse(pathsFile.path, `is ${show(await text.value())}, expected a list of paths`);
    await text.finish();
  } finally {
    await source.close();
  }
  const madePath = fileOf("packing.json").path;
  const { stats, made: given, files } = await readHead(fileOf, watch);
  const made = madeOf(madePath, given);
  const strange = made === undefined && paths.find((name) => typeof name !== "string");
  if (strange !== false && strange !== undefined) refuseName(pathsFile.path, strange);
  const offsets = await readVector(fileOf("boundaries.npy"), watch);
  const indices = await readRows(fileOf("samples.npy"), watch);
  const rest = async (name: string) => ((await fileOf(name).exists()) ? readRows(fileOf(name), watch) : undefined);
  const oversize = await rest("oversize.npy");
  const invalid = await rest("invalid.npy");
  const placed = (against: Against): Placed => {
    // Names find files only where nothing else says which they are.
    const starts =
      made === undefined ? startsOf(pathsFile.path, paths, against) : startsIn(madePath, files, paths, made.samples);
    return {
      indices: samplesOf(indices, starts, against),
      oversize: oversize === undefined ? new Int32Array(0) : samplesOf(oversize, starts, against),
      invalid: invalid && samplesOf(invalid, starts, against),
    };
  };
  return { offsets, placed, stats, made, madePath };
}

/** Offsets rise from 0 to the end, no group is empty; every sample there is in one place at most, an invalid one in no group. */
function checkIndices(
  path: string,
  offsets: Int32Array,
  { indices, oversize, invalid }: Placed,
  against: Against,
): void {
  const groups = offsets.length - 1;
  const { samples } = against;
  if (groups < 0) refuse(path, "no offsets, expected at least one");
  if (offsets[0] !== 0 || offsets[groups] !== indices.length) {
    refuse(path, `offsets run from ${offsets[0]} to ${offsets[groups]}, expected 0 to ${indices.length}`);
  }
  const OVERSIZE = groups;
  const INVALID = groups + 1;
  const placeOf = new Int32Array(samples).fill(-1);
  const where = (g: number) => (g === OVERSIZE ? "oversize" : g === INVALID ? "invalid" : `group ${g}`);
  const look = (list: Int32Array, from: number, to: number, g: number) => {
    for (let i = from; i < to; i++) {
      const sample = list[i];
      if (!(sample >= 0 && sample < samples)) {
        refuse(path, `${where(g)}: sample ${sample}, there are ${samples}`);
      }
      if (placeOf[sample] !== -1) {
        refuse(path, `${where(g)}: sample ${sample} is in ${where(placeOf[sample])} already`);
      }
      placeOf[sample] = g;
    }
  };
  for (let g = 0; g < groups; g++) {
    if (offsets[g + 1] < offsets[g]) refuse(path, `offset ${g + 1} is ${offsets[g + 1]}, below the one before it`);
    if (offsets[g + 1] === offsets[g]) refuse(path, `group ${g} is empty`);
  }
  for (let g = 0; g < groups; g++) {
    look(indices, offsets[g], offsets[g + 1], g);
  }
  look(oversize, 0, oversize.length, OVERSIZE);
  if (invalid !== undefined) look(invalid, 0, invalid.length, INVALID);
  for (const sample of invalidSamples(against.columns)) {
    const place = placeOf[sample];
    if (place === INVALID) placeOf[sample] = -1;
    else if (place !== -1) refuse(path, `${where(place)}: sample ${sample} is invalid, -1 in every load`);
  }
  // What is still there of the list has loads.
  const wrong = invalid?.find((sample) => placeOf[sample] === INVALID);
  if (wrong !== undefined) refuse(path, `invalid: sample ${wrong} is not, it has loads`);
}

/** A count among the stats of a JSON, if it is there. */
function statistic(stats: unknown, name: string): number | undefined {
  const value = typeof stats === "object" && stats !== null ? (stats as Record<string, unknown>)[name] : undefined;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_INT32 ? value : undefined;
}

/** What is left of `made` when the samples and groups are known. */
function settingsOf({ version: _, samples: __, loads: ___, packing: ____, ...settings }: PackingMade): PackingSettings {
  return settings;
}

/** What each file of a folder may be, for the bytes that a reader of it will have read. */
const ARRAYS = ["offsets.npy", "indices.npy", "boundaries.npy", "samples.npy", "oversize.npy", "invalid.npy"];
const FOLDER_FILES = [...ARRAYS, "paths.json", "packing.json"];

/** What a packing is read from, and what messages call it. */
function find(
  from: Input | Folder,
  options: ReadPackingOptions,
): Promise<{ readonly path: string; readonly value: Found }> {
  const watchOf = async (files: readonly InputFile[]): Promise<Watch> => {
    let total = 0;
    for (const file of files) total += (await file.exists()) ? ((await file.size()) ?? 0) : 0;
    let done = 0;
    return {
      signal: options.signal,
      onWait: options.onWait,
      read: (bytes) => {
        done += bytes;
        options.onProgress?.(done, total);
      },
    };
  };
  return opened(
    from,
    async (path, fileOf) => {
      const watch = await watchOf(FOLDER_FILES.map(fileOf));
      if (await fileOf("offsets.npy").exists()) return readFolder(fileOf, watch);
      if (await fileOf("boundaries.npy").exists()) return readXtuner(fileOf, watch);
      return refuse(path, "no packing: neither offsets.npy nor boundaries.npy is in this folder");
    },
    async (file) => readJson(file, await watchOf([file])),
  );
}

/** A packing that was read, and is still to be checked against its samples. */
export interface OpenPacking {
  /**
   * The loads that its groups are bounded and added up by, which its lengths must have; undefined where it does not say: then
   * it is by all that there are.
   */
  readonly loads: readonly string[] | undefined;
  /** The packing of these lengths. @throws as `readPacking` */
  against(omnibal: HasCore, lengths: PackedLengths): Packing;
}

/** The loads of a packing that says so. */
function loadsOf(made: PackingMade | undefined): readonly string[] | undefined {
  if (made?.bounds === undefined) return made?.loads && Object.keys(made.loads);
  return [...Object.keys(made.bounds), ...(made.carry ?? [])];
}

/** The bounds of a packing: those that it tells, else what its groups reach. */
function boundsOf({ made, stats }: Found, loads: ByLoad<LoadColumn>): Record<string, number> {
  if (made?.bounds !== undefined) return { ...made.bounds };
  const told: Record<string, number | undefined> = {
    vit: statistic(stats, "maxVit"),
    tokens: statistic(stats, "maxTokens"),
  };
  const most = (values: LoadColumn) => (values as Float64Array).reduce((largest, value) => Math.max(largest, value), 1);
  return Object.fromEntries(Object.entries(loads).map(([name, sums]) => [name, told[name] ?? most(sums)]));
}

/** What decided about the groups, as far as it is told. */
function settingsIn({ made, stats }: Found, bounds: ByLoad<number>): PackingSettings | undefined {
  if (made !== undefined) return settingsOf(made);
  const isTold = statistic(stats, "maxVit") !== undefined && statistic(stats, "maxTokens") !== undefined;
  return isTold ? { bounds } : undefined;
}

function check({ core }: HasCore, path: string, found: Found, lengths: PackedLengths): Packing {
  const { offsets, stats, made } = found;
  const names = loadsOf(made);
  const columns = names === undefined ? toLengths(lengths) : lengthsOf(path, lengths, names);
  const samples = columnsOf(columns)[0][1].length;
  const against: Against = { columns, samples, files: lengths.files };
  if (made !== undefined) checkSamples(core.abi, found.madePath, made, columns);
  const placed = found.placed(against);
  checkIndices(path, offsets, placed, against);
  const { indices, oversize, invalid = invalidSamples(columns) } = placed;
  const fingerprint = made && packingFingerprint(core.abi, { offsets, indices, oversize, invalid });
  if (fingerprint !== made?.packing) {
    refuse(
      path,
      `cut or edited since it was made: its groups have fingerprint ${fingerprint}, expected ${made?.packing}`,
    );
  }
  const own = names ?? columnsOf(columns).map(([name]) => name);
  const loads = groupLoads(core, { offsets, indices }, columns, own, made?.align, (group, name) =>
    refuse(path, `group ${group} has more than ${Number.MAX_SAFE_INTEGER} ${name}`),
  );
  const max = boundsOf(found, Object.fromEntries(own.map((name) => [name, loads[name]])));
  for (const [name, bound] of Object.entries(max)) {
    const beyond = (loads[name] as Float64Array).findIndex((sum) => sum > bound);
    if (beyond === -1) continue;
    refuse(path, `group ${beyond} has ${loads[name][beyond]} ${name}, the packing's bound is ${bound}`);
  }
  return trustedPacking({
    ...{ offsets, indices, oversize, invalid, loads },
    bounds: { max, min: { ...max, ...made?.min } },
    bound: statistic(stats, "bound") ?? 0,
    rounds: statistic(stats, "rounds") ?? 0,
    // A later omnibal may have methods that this one does not know.
    method: methods.find(({ name }) => name === made?.method)?.name,
    settings: settingsIn(found, max),
    lengths: columns,
  });
}

/** The loads that a packing is by. @throws InputError where the lengths lack one of them. */
function lengthsOf(path: string, lengths: PackedLengths, names: readonly string[]): Lengths {
  const has = Object.keys(lengths);
  const missing = baseLoads(names, lengths).find((name) => !has.includes(name));
  if (missing === undefined) return toLengths(lengths, names);
  return refuse(path, `packed by ${names.join(", ")}: there is no load ${show(missing)} among the lengths given`);
}

/**
 * Reads a packing as `readPacking` does, but for what needs the samples: it says which loads they must have.
 *
 * @throws InputError INVALID_FILE with the path and the place; the signal's reason.
 */
export async function openPacking(from: Input | Folder, options: ReadPackingOptions = {}): Promise<OpenPacking> {
  onlyNames("openPacking", options, READ_PACKING_OPTIONS);
  const { path, value: found } = await find(from, options);
  return { loads: loadsOf(found.made), against: (omnibal, lengths) => check(omnibal, path, found, lengths) };
}

/**
 * Reads a packing of `lengths`: JSON or JSON Lines as `omnibal pack` writes it, {"groups":[[3,1],...]}, a bare
 * [[3,1],...], or a folder of .npy files or of XTuner's preset packs, by its path or as bytes (a folder: its files by name).
 * Every sample is in one group at most, or in `oversize` or `invalid`; where a file does not tell its bounds, they are what
 * its groups reach. A file that says what it was made of must have been made of these very samples, in this order, and be
 * whole. 12 bytes per sample of memory, while it is read 24, whatever the size of the text; sums come from the core.
 *
 * @throws InputError INVALID_FILE with the path and the place; EngineError OUT_OF_MEMORY; the signal's reason.
 */
export async function readPacking(
  omnibal: HasCore,
  from: Input | Folder,
  lengths: PackedLengths,
  options: ReadPackingOptions = {},
): Promise<Packing> {
  onlyNames("readPacking", options, READ_PACKING_OPTIONS);
  const { path, value: found } = await find(from, options);
  return check(omnibal, path, found, lengths);
}
