// What a user names as data, as files of records in order.
import { access, open, readdir, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { InputError, show } from "../../core/errors.ts";
import { parseMeta } from "../../read/meta.ts";
import { fileError, openFile } from "../../read/source.ts";
import type { RecordFile } from "./batch.ts";
import { jsonFile, jsonInput } from "./json.ts";
import { ParquetFile } from "./parquet.ts";
import { TableFile } from "./table.ts";
import { TarFile } from "./tar.ts";
import { XtunerCache } from "./xtuner-cache.ts";

/** Records that are measured alike. */
export interface DataSet {
  /** Its name in the meta file, else the path. */
  readonly name: string;
  readonly file: RecordFile;
  /** The folder that no picture is read outside of, and the one that paths are relative to. */
  readonly root: string;
  readonly base: string;
  /** Parameters of its own. */
  readonly set: Readonly<Record<string, unknown>>;
  /** How often the records come, a whole number; or the share of them that comes, below 1. */
  readonly repeat: number;
}

/** A meta file of InternVL, to be written back. */
export interface Meta {
  readonly path: string;
  readonly entries: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Data {
  readonly sets: readonly DataSet[];
  readonly metas: readonly Meta[];
}

export interface DataOptions {
  /** The folder of pictures. */
  readonly images: string | undefined;
  readonly exif: "transpose" | "ignore";
  readonly stdin: AsyncIterable<Uint8Array>;
}

const RECORDS = /\.(jsonl?|ndjson|parquet|tar|tgz|csv|tsv)(\.gz)?$/i;

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** A path in a meta file: relative to the meta file, else to the working folder. */
async function place(meta: string, path: string, what: string): Promise<string> {
  const places = isAbsolute(path) ? [path] : [...new Set([resolve(dirname(meta), path), resolve(path)])];
  for (const one of places) if (await exists(one)) return one;
  throw new InputError("INVALID_FILE", `${meta}: ${what}: no such file or folder: ${places.join(" nor ")}`);
}

/** The beginning of a regular file, as it is stored. */
async function beginning(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const head = new Uint8Array(512);
    return head.subarray(0, (await file.read(head, 0, head.length, 0)).bytesRead);
  } finally {
    await file.close();
  }
}

async function recordFile(path: string, exif: DataOptions["exif"]): Promise<RecordFile> {
  const { size } = await stat(path);
  const plain = path.replace(/\.gz$/i, "");
  // The size of a packed file does not tell how far it has been read.
  const known = plain === path ? size : undefined;
  if (/\.(tar|tgz)$/i.test(plain)) return new TarFile(path, known, exif);
  if (/\.parquet$/i.test(path)) return new ParquetFile(path, size);
  if (/\.npy$/i.test(path)) return new XtunerCache(path, size);
  if (/\.(csv|tsv)$/i.test(plain)) return new TableFile(path, known, () => openFile(path));
  const head = await beginning(path);
  const text = String.fromCharCode(...head.subarray(0, 4));
  if (text === "PAR1") return new ParquetFile(path, size);
  if (String.fromCharCode(...head.subarray(257, 262)) === "ustar") return new TarFile(path, size, exif);
  return jsonFile(path, known);
}

/** The meta in a file, if its entries name annotations. */
async function metaIn(path: string): Promise<Meta["entries"] | undefined> {
  if (/\.(jsonl|ndjson|parquet|tar|tgz|csv|tsv|npy|gz)$/i.test(path)) return undefined;
  const source = await openFile(path);
  try {
    const entries = await parseMeta(source);
    return entries !== undefined && Object.values(entries).every((entry) => "annotation" in entry)
      ? entries
      : undefined;
  } finally {
    await source.close();
  }
}

async function metaSets(path: string, entries: Meta["entries"], options: DataOptions): Promise<DataSet[]> {
  const sets: DataSet[] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const refuse = (member: string, expected: string): never => {
      throw new InputError(
        "INVALID_FILE",
        `${path}: entry ${show(name)}: ${member} is ${show(entry[member])}, expected ${expected}`,
      );
    };
    const { annotation, root = "", repeat_time: repeat = 1, max_dynamic_patch: most } = entry;
    if (typeof annotation !== "string" || annotation === "") return refuse("annotation", "the path of a file");
    if (typeof root !== "string") return refuse("root", "the path of a folder");
    if (typeof repeat !== "number" || !(repeat > 0) || (repeat > 1 && !Number.isInteger(repeat))) {
      return refuse("repeat_time", "a whole number, or a share below 1");
    }
    if (most !== undefined && !(Number.isInteger(most) && (most as number) >= 1))
      return refuse("max_dynamic_patch", "a whole number from 1 on");
    const file = await recordFile(await place(path, annotation, `entry ${show(name)}: annotation`), options.exif);
    const base =
      options.images === undefined
        ? root === ""
          ? dirname(file.path)
          : await place(path, root, `entry ${show(name)}: root`)
        : resolve(options.images, root);
    sets.push({
      name,
      file,
      root: options.images ?? base,
      base,
      set: most === undefined ? {} : { max_patches: most },
      repeat,
    });
  }
  return sets;
}

async function folderFiles(path: string): Promise<string[]> {
  const names = await readdir(path);
  for (const cache of ["num_tokens.npy", "jsonl_meta/num_tokens.npy"]) {
    const file = join(path, cache);
    if (await exists(file)) return [file];
  }
  const files = names.filter((name) => RECORDS.test(name)).sort();
  if (files.length === 0) {
    throw new InputError(
      "INVALID_FILE",
      `${path}: no file of records in this folder (.jsonl, .json, .parquet, .tar, .csv)`,
    );
  }
  return files.map((name) => join(path, name));
}

/**
 * The data sets that paths name: files of records, folders of such, meta files of InternVL; "-" is standard input.
 *
 * @throws InputError INVALID_FILE for what is not there or not known.
 */
export async function openData(paths: readonly string[], options: DataOptions): Promise<Data> {
  const sets: DataSet[] = [];
  const metas: Meta[] = [];
  const add = (file: RecordFile, path: string) => {
    const root = options.images ?? (path === "-" ? "." : dirname(path));
    sets.push({ name: path, file, root, base: root, set: {}, repeat: 1 });
  };
  for (const path of paths) {
    if (path === "-") {
      add(await jsonInput(options.stdin), path);
      continue;
    }
    try {
      if ((await stat(path)).isDirectory()) {
        for (const file of await folderFiles(path)) add(await recordFile(file, options.exif), file);
        continue;
      }
      const entries = await metaIn(path);
      if (entries === undefined) add(await recordFile(path, options.exif), path);
      else {
        metas.push({ path, entries });
        sets.push(...(await metaSets(path, entries, options)));
      }
    } catch (error) {
      throw fileError(path, error);
    }
  }
  return { sets, metas };
}
