// Tar archives of samples, as WebDataset keeps them: files of one name with different endings are a sample. Of pictures
// only the beginning is read, and what they are followed by is passed over: for a file on a disk that is a hundredth of
// its bytes.

import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { InputError } from "../../core/errors.ts";
import { fileError } from "../../read/source.ts";
import { FIRST, pictureSize, seen } from "../images/header.ts";
import { BATCH_BYTES, BATCH_RECORDS, type Counted, LONGEST_RECORD, type RecordFile } from "./batch.ts";

const BLOCK = 512;
const PICTURES = new Set(["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "ppm", "pgm", "pnm"]);
const TEXTS = new Set(["txt", "text", "caption"]);

/** Bytes at any place, or at least from front to back. */
interface Bytes {
  /** Fewer than asked for at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

class FileBytes implements Bytes {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const buffer = new Uint8Array(length);
    let have = 0;
    while (have < length) {
      const { bytesRead } = await this.#file.read(buffer, have, length - have, offset + have);
      if (bytesRead === 0) break;
      have += bytesRead;
    }
    return buffer.subarray(0, have);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Reads from a pipe or a decompressor: each place must be after the last. */
class StreamBytes implements Bytes {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest = new Uint8Array(0);
  #at = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < this.#at) return new Uint8Array(0);
    const end = offset + length;
    const parts: Uint8Array[] = [];
    while (this.#at < end) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (done) break;
        this.#rest = value as Uint8Array<ArrayBuffer>;
        continue;
      }
      const skip = Math.min(Math.max(offset - this.#at, 0), this.#rest.length);
      const take = Math.min(end - this.#at - skip, this.#rest.length - skip);
      if (take > 0) parts.push(this.#rest.slice(skip, skip + take));
      this.#rest = this.#rest.subarray(skip + take);
      this.#at += skip + take;
    }
    return parts.length === 1 ? parts[0] : Uint8Array.from(Buffer.concat(parts));
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

interface Member {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** A number in a header: octal digits or, from 8 GiB on, bytes. */
function numberIn(field: Uint8Array): number {
  if ((field[0] & 0x80) !== 0) {
    let value = field[0] & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const text = String.fromCharCode(...field).replaceAll(/[\0 ]/g, "");
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || "0", 8) : Number.NaN;
}

function textIn(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** Whether the sum in a header is right, with its own digits taken as blanks. */
function checks(header: Uint8Array): boolean {
  let sum = 0;
  for (const [i, byte] of header.entries()) sum += i >= 148 && i < 156 ? 32 : byte;
  return sum === numberIn(header.subarray(148, 156));
}

/** Values of a pax header: "LENGTH name=value\n" each. */
function paxIn(bytes: Uint8Array): Map<string, string> {
  const values = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(32, at);
    const length = Number(String.fromCharCode(...bytes.subarray(at, blank)));
    if (blank < 0 || !(length > 0)) break;
    const [name, ...rest] = new TextDecoder().decode(bytes.subarray(blank + 1, at + length - 1)).split("=");
    values.set(name, rest.join("="));
    at += length;
  }
  return values;
}

/** The regular files of an archive, in order. */
async function* members(path: string, bytes: Bytes): AsyncGenerator<Member> {
  const refuse = (why: string, at: number): never => {
    throw new InputError("INVALID_FILE", `${path}: byte ${at}: ${why}`);
  };
  let at = 0;
  let longName: string | undefined;
  let pax: Map<string, string> | undefined;
  for (;;) {
    const header = await bytes.read(at, BLOCK);
    if (header.length < BLOCK) refuse("the archive is cut off: it ends without its end mark", at + header.length);
    if (header.every((byte) => byte === 0)) return;
    if (!checks(header)) refuse("not the header of a file in a tar archive", at);
    const size = Number(pax?.get("size") ?? numberIn(header.subarray(124, 136)));
    if (!Number.isSafeInteger(size) || size < 0) refuse("a file in it has no size", at);
    const type = String.fromCharCode(header[156] || 48);
    const offset = at + BLOCK;
    if (type === "L" || type === "x") {
      if (size > 1 << 20) refuse("a name in it is longer than 1 MiB", at);
      const content = await bytes.read(offset, size);
      if (type === "L") longName = textIn(content);
      else pax = paxIn(content);
    } else if (type !== "g") {
      const prefix =
        String.fromCharCode(...header.subarray(257, 262)) === "ustar" ? textIn(header.subarray(345, 500)) : "";
      const short = textIn(header.subarray(0, 100));
      const name = pax?.get("path") ?? longName ?? (prefix === "" ? short : `${prefix}/${short}`);
      longName = undefined;
      pax = undefined;
      if (type === "0" || type === "7") yield { name, offset, size };
    }
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
  }
}

/** Key and ending of a member, as WebDataset has them: the ending begins at the first dot of the file's name. */
function split(name: string): readonly [key: string, ending: string] {
  const slash = name.lastIndexOf("/") + 1;
  const dot = name.indexOf(".", slash);
  return dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot + 1).toLowerCase()];
}

interface Sample {
  readonly key: string;
  json: unknown;
  text: string | undefined;
  problem: string | undefined;
  readonly pictures: unknown[];
}

/** The record that a sample's files make. */
function recordOf({ json, text, pictures }: Sample): unknown {
  if (Array.isArray(json)) return { messages: json, ...(pictures.length > 0 && { images: pictures }) };
  if (typeof json === "object" && json !== null) {
    // The pictures beside it are those that it names.
    const { image: _image, images: _images, width: _width, height: _height, ...rest } = json as Record<string, unknown>;
    return pictures.length > 0 ? { ...rest, images: pictures } : json;
  }
  return { text: text ?? "", ...(pictures.length > 0 && { images: pictures }) };
}

export class TarFile implements RecordFile {
  readonly path: string;
  readonly size: number | undefined;
  readonly #exif: "transpose" | "ignore";

  constructor(path: string, size: number | undefined, exif: "transpose" | "ignore") {
    this.path = path;
    this.size = size;
    this.#exif = exif;
  }

  async #open(): Promise<Bytes> {
    try {
      if (/\.(tgz|gz)$/i.test(this.path)) return new StreamBytes(createReadStream(this.path).pipe(createGunzip()));
      return new FileBytes(await open(this.path, "r"));
    } catch (error) {
      throw fileError(this.path, error);
    }
  }

  async *batches(from: number, to: number): AsyncGenerator<Counted> {
    const bytes = await this.#open();
    let records: unknown[] = [];
    let problems: [number, string][] = [];
    let held = 0;
    let read = 0;
    let number = 0;
    const take = (): Counted => {
      const counted: Counted = { batch: { kind: "objects", records }, records: records.length, problems, bytes: read };
      records = [];
      problems = [];
      held = 0;
      read = 0;
      return counted;
    };
    const finish = (sample: Sample) => {
      if (number++ < from) return;
      if (sample.problem !== undefined) problems.push([records.length, sample.problem]);
      records.push(sample.problem === undefined ? recordOf(sample) : null);
    };
    try {
      let sample: Sample | undefined;
      let last = 0;
      for await (const member of members(this.path, bytes)) {
        const [key, ending] = split(member.name);
        read += member.offset - last;
        last = member.offset;
        if (sample !== undefined && sample.key !== key) {
          finish(sample);
          sample = undefined;
          if (number >= to) break;
          if (records.length >= BATCH_RECORDS || held >= BATCH_BYTES) yield take();
        }
        sample ??= { key, json: undefined, text: undefined, problem: undefined, pictures: [] };
        if (number >= from) held += await this.#add(sample, ending, member, bytes);
      }
      if (sample !== undefined && number < to) finish(sample);
    } catch (error) {
      throw error instanceof InputError ? error : fileError(this.path, error);
    } finally {
      await bytes.close();
    }
    if (records.length > 0) yield take();
  }

  /** Reads what is needed of a member; returns how many bytes are held for it. */
  async #add(sample: Sample, ending: string, { offset, size, name }: Member, bytes: Bytes): Promise<number> {
    // "seg.png" is another picture than "png", but a picture; "json" may have a name before it too.
    const kind = ending.slice(ending.lastIndexOf(".") + 1);
    if (PICTURES.has(kind)) {
      sample.pictures.push(await this.#picture(offset, size, bytes));
      return 64;
    }
    if (kind !== "json" && !TEXTS.has(kind)) return 0;
    if (size > LONGEST_RECORD) {
      sample.problem ??= `${name}: longer than ${LONGEST_RECORD >> 20} MiB`;
      return 0;
    }
    const content = await bytes.read(offset, size);
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
      if (kind === "json") sample.json = JSON.parse(text);
      else sample.text = text;
    } catch (error) {
      sample.problem ??= `${name}: ${error instanceof SyntaxError ? "is not JSON" : "is not UTF-8"}`;
    }
    return size * 2;
  }

  async #picture(offset: number, size: number, bytes: Bytes): Promise<unknown> {
    const first = await bytes.read(offset, Math.min(FIRST, size));
    // A header in pieces: read on until it is whole. What the parser asks for, it is given the next time.
    let have = { at: 0, bytes: first };
    for (let round = 0; round < 64; round++) {
      let wanted: readonly [number, number] | undefined;
      try {
        const found = pictureSize(first, (at, length) => {
          const part = have.bytes.subarray(Math.max(at - have.at, 0), at - have.at + length);
          const isThere = at >= have.at && (part.length === Math.min(length, size - at) || at >= size);
          if (isThere) return part;
          wanted = [at, length];
          throw new NeedsMore();
        });
        const [height, width] = seen(found, this.#exif);
        return { height, width };
      } catch (error) {
        if (error instanceof InputError) return { problem: error.message };
        if (!(error instanceof NeedsMore) || wanted === undefined) throw error;
        const [at, length] = wanted;
        have = { at, bytes: await bytes.read(offset + at, Math.min(length, size - at)) };
        // A stream has passed the place by.
        if (have.bytes.length === 0) return { problem: "its header is not at the beginning" };
      }
    }
    return { problem: "its header is in too many pieces" };
  }

  async count(): Promise<number> {
    const bytes = await this.#open();
    try {
      let count = 0;
      let last: string | undefined;
      for await (const { name } of members(this.path, bytes)) {
        const [key] = split(name);
        if (key !== last) count++;
        last = key;
      }
      return count;
    } finally {
      await bytes.close();
    }
  }
}

class NeedsMore extends Error {}
