// A packing from its file or folder, as `omnibal pack` writes it or as another tool does, checked against the samples
// it is a packing of: what reads it may then trust every index.
import type { HasCore } from "../core/core.ts";
import { InputError, show } from "../core/errors.ts";
import type { VitTokens } from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, onlyNames } from "../core/options.ts";
import { type PackingMade, packingFingerprint } from "../pack/made.ts";
import { methods } from "../pack/methods.ts";
import { ATTENTION, type Packing, type PackingSettings, trustedPacking } from "../pack/packing.ts";
import { groupSums } from "../plan/evaluate.ts";
import { Column, type Watch } from "./columns.ts";
import { builtin } from "./host.ts";
import type { FileOf, Folder, Input, InputFile } from "./input.ts";
import { JsonText } from "./json-text.ts";
import { checkSamples, packingMadeIn } from "./made.ts";
import { readNpy } from "./npy.ts";
import { underWatch } from "./open.ts";
import { opened } from "./whole.ts";

/** What a packing is read against. */
export interface PackedLengths extends VitTokens {
  /** Where the samples are from, in order; XTuner's folder names samples by file. */
  readonly files: readonly { readonly path: string; readonly samples: number }[];
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

/** A packing as its files have it, before anything is checked. */
interface Found {
  readonly offsets: Int32Array;
  readonly indices: Int32Array;
  readonly oversize: Int32Array;
  readonly stats?: unknown;
  /** undefined for a packing of another tool. */
  readonly made: PackingMade | undefined;
}

/** Takes what a file has under `made`, if it is of the samples at hand. */
type Admit = (path: string, made: unknown) => PackingMade | undefined;

function refuse(path: string, why: string): never {
  throw new InputError("INVALID_FILE", `${path}: ${why}`);
}

/**
 * One object with "groups", or one per line with "group" each, or a bare list of groups: "oversize", "stats" and "made" are
 * taken where they are, other members are only checked to be JSON. "groups" that is a number, as the first line of JSON
 * Lines has it, says how many there are.
 */
async function readJson(file: InputFile, admit: Admit, watch: Watch): Promise<Found> {
  const { path } = file;
  const source = await file.open(underWatch(watch));
  try {
    const text = new JsonText(source, watch);
    const offsets = new Column();
    const indices = new Column();
    const oversize = new Column();
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
    const found = { offsets: offsets.take(), indices: indices.take(), oversize: oversize.take(), stats };
    return { ...found, made: admit(path, made) };
  } finally {
    await source.close();
  }
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

async function readFolder(fileOf: FileOf, admit: Admit, watch: Watch): Promise<Found> {
  const oversize = fileOf("oversize.npy");
  const { stats, made } = await readHead(fileOf, watch);
  return {
    made: admit(fileOf("packing.json").path, made),
    stats,
    offsets: await readVector(fileOf("offsets.npy"), watch),
    indices: await readVector(fileOf("indices.npy"), watch),
    oversize: (await oversize.exists()) ? await readVector(oversize, watch) : new Int32Array(0),
  };
}

/** The same for all ways to name a file, where there are such. */
function resolved(path: string): string {
  return builtin("node:path")?.resolve(path) ?? path;
}

/** Where the samples of each path begin, among those that were read. */
function startsOf(path: string, paths: readonly unknown[], { files }: PackedLengths): number[] {
  const starts = new Map<string, number[]>();
  let start = 0;
  for (const file of files) {
    const own = starts.get(resolved(file.path)) ?? [];
    own.push(start);
    starts.set(resolved(file.path), own);
    start += file.samples;
  }
  return paths.map((name) => {
    // A file that was given twice is there twice, in this order.
    const own = typeof name === "string" ? starts.get(resolved(name)) : undefined;
    const at = own !== undefined && own.length > 1 ? own.shift() : own?.[0];
    return at ?? refuse(path, `names ${show(name)}, which is not among the files given`);
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

async function readXtuner(fileOf: FileOf, lengths: PackedLengths, admit: Admit, watch: Watch): Promise<Found> {
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
  const headFile = fileOf("packing.json");
  const { stats, made: given, files } = await readHead(fileOf, watch);
  const made = admit(headFile.path, given);
  // Names find files only where nothing else says which they are.
  const starts =
    made === undefined ? startsOf(pathsFile.path, paths, lengths) : startsIn(headFile.path, files, paths, made.samples);
  const samples = async (name: string): Promise<Int32Array> => {
    const file = fileOf(name);
    const { path } = file;
    const { shape, values } = await readNpy(file, 2, watch);
    if (shape[1] !== 6) refuse(path, `shape is (${shape.join(", ")}), expected (n, 6)`);
    return Int32Array.from({ length: shape[0] }, (_, row) => {
      const [pathId, index, charStart, charEnd, from, to] = values.subarray(row * 6, row * 6 + 6);
      if (!(pathId >= 0 && pathId < starts.length))
        refuse(path, `row ${row}: path ${pathId}, there are ${starts.length}`);
      const sample = starts[pathId] + index;
      if (index < 0 || sample >= lengths.tokens.length) refuse(path, `row ${row}: sample ${index} is not in its file`);
      if (charStart !== -1 || charEnd !== -1 || from !== 0)
        refuse(path, `row ${row}: a part of a sample, expected whole ones`);
      if (to !== lengths.tokens[sample]) {
        refuse(
          path,
          `row ${row}: ${to} tokens, sample ${sample} has ${lengths.tokens[sample]}: packed from other lengths`,
        );
      }
      return sample;
    });
  };
  const oversize = await fileOf("oversize.npy").exists();
  return {
    made,
    stats,
    offsets: await readVector(fileOf("boundaries.npy"), watch),
    indices: await samples("samples.npy"),
    oversize: oversize ? await samples("oversize.npy") : new Int32Array(0),
  };
}

/** Offsets rise from 0 to the end, no group is empty; every sample there is in one place at most. */
function checkIndices(path: string, { offsets, indices, oversize }: Found, samples: number): void {
  const groups = offsets.length - 1;
  if (groups < 0) refuse(path, "no offsets, expected at least one");
  if (offsets[0] !== 0 || offsets[groups] !== indices.length) {
    refuse(path, `offsets run from ${offsets[0]} to ${offsets[groups]}, expected 0 to ${indices.length}`);
  }
  const placeOf = new Int32Array(samples).fill(-1);
  const where = (g: number) => (g === groups ? "oversize" : `group ${g}`);
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
  look(oversize, 0, oversize.length, groups);
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

/** All that another tool tells of how it has packed. */
function givenBounds(vit: number | undefined, tokens: number | undefined): PackingSettings | undefined {
  return vit === undefined || tokens === undefined ? undefined : { bounds: { vit, tokens } };
}

/** Sums stop at 2^31 - 1 in the core, where a group that no packer made may be beyond. */
function checkSums(
  path: string,
  { offsets, indices }: Found,
  values: Int32Array,
  sums: Int32Array,
  what: string,
): void {
  for (let g = sums.indexOf(MAX_INT32); g !== -1; g = sums.indexOf(MAX_INT32, g + 1)) {
    const sum = indices.subarray(offsets[g], offsets[g + 1]).reduce((total, i) => total + values[i], 0);
    if (sum > MAX_INT32) refuse(path, `group ${g} has ${sum} ${what}, expected at most ${MAX_INT32}`);
  }
}

/** What each file of a folder may be, for the bytes that a reader of it will have read. */
const ARRAYS = ["offsets.npy", "indices.npy", "boundaries.npy", "samples.npy", "oversize.npy"];
const FOLDER_FILES = [...ARRAYS, "paths.json", "packing.json"];

/** What a packing is read from, and what messages call it. */
function find(
  from: Input | Folder,
  lengths: PackedLengths,
  admit: Admit,
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
      if (await fileOf("offsets.npy").exists()) return readFolder(fileOf, admit, watch);
      if (await fileOf("boundaries.npy").exists()) return readXtuner(fileOf, lengths, admit, watch);
      return refuse(path, "no packing: neither offsets.npy nor boundaries.npy is in this folder");
    },
    async (file) => readJson(file, admit, await watchOf([file])),
  );
}

/**
 * Reads a packing of `lengths`: JSON or JSON Lines as `omnibal pack` writes it, {"groups":[[3,1],...]}, a bare
 * [[3,1],...], or a folder of .npy files or of XTuner's preset packs, by its path or as bytes (a folder: its files by name). Every sample is in one group at most, or in
 * `oversize`; where a file does not tell its bounds, they are what its groups reach. A file that says what it was made of
 * must have been made of these very samples, in this order, and be whole. 12 bytes per sample of memory,
 * while it is read 24, whatever the size of the text; sums come from the core.
 *
 * @throws InputError INVALID_FILE with the path and the place; EngineError OUT_OF_MEMORY; the signal's reason.
 */
export async function readPacking(
  { core }: HasCore,
  from: Input | Folder,
  lengths: PackedLengths,
  options: ReadPackingOptions = {},
): Promise<Packing> {
  onlyNames("readPacking", options, READ_PACKING_OPTIONS);
  const { abi } = core;
  const own = { vit: lengths.vit, tokens: lengths.tokens };
  const admit: Admit = (file, value) => {
    if (value === undefined) return undefined;
    const made = packingMadeIn(file, value);
    checkSamples(abi, file, made, own);
    return made;
  };
  const { path, value: found } = await find(from, lengths, admit, options);
  const { offsets, indices, oversize, stats, made } = found;
  checkIndices(path, found, lengths.tokens.length);
  const fingerprint = made === undefined ? undefined : packingFingerprint(abi, found);
  if (fingerprint !== made?.packing) {
    refuse(
      path,
      `cut or edited since it was made: its groups have fingerprint ${fingerprint}, expected ${made?.packing}`,
    );
  }
  const top = abi.mark();
  let sums: ReturnType<typeof groupSums>;
  try {
    sums = groupSums(abi, offsets, indices, lengths);
  } finally {
    abi.release(top);
  }
  checkSums(path, found, lengths.vit, sums.vit, "vit");
  checkSums(path, found, lengths.tokens, sums.tokens, "tokens");
  const most = (values: Int32Array) => values.reduce((largest, value) => Math.max(largest, value), 1);
  const told = {
    vit: made?.bounds?.vit ?? statistic(stats, "maxVit"),
    tokens: made?.bounds?.tokens ?? statistic(stats, "maxTokens"),
  };
  const bounds = { maxVit: told.vit ?? most(sums.vit), maxTokens: told.tokens ?? most(sums.tokens) };
  for (const [what, values, bound] of [
    ["vit", sums.vit, bounds.maxVit],
    ["tokens", sums.tokens, bounds.maxTokens],
  ] as const) {
    const beyond = values.findIndex((value) => value > bound);
    if (beyond !== -1) refuse(path, `group ${beyond} has ${values[beyond]} ${what}, the packing's bound is ${bound}`);
  }
  const { vit, tokens } = told;
  return trustedPacking({
    ...{ offsets, indices, oversize },
    loads: { vit: sums.vit, tokens: sums.tokens, [ATTENTION]: sums.attention },
    bounds: {
      max: { vit: bounds.maxVit, tokens: bounds.maxTokens },
      min: { vit: made?.min?.vit ?? bounds.maxVit, tokens: made?.min?.tokens ?? bounds.maxTokens },
    },
    bound: statistic(stats, "bound") ?? 0,
    rounds: statistic(stats, "rounds") ?? 0,
    // A later omnibal may have methods that this one does not know.
    method: methods.find(({ name }) => name === made?.method)?.name,
    settings: made === undefined ? givenBounds(vit, tokens) : settingsOf(made),
    lengths: own,
  });
}
