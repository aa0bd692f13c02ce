// Sizes of pictures from the first bytes of their files: no pixel is decoded. What a size is for Pillow, which the
// training code opens pictures with, is the measure here.
import { InputError } from "../../core/errors.ts";

/** Reads `length` bytes of a file at `offset`; fewer if the file ends there. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** The size of a picture, as Pillow reports it. */
export interface PictureSize {
  /** The format of the file, such as `JPEG`. */
  readonly format: string;
  /** Pixels, as they are stored; for TIFF as they are shown, since Pillow turns these by itself. */
  readonly height: number;
  /** Pixels, as for `height`. */
  readonly width: number;
  /** EXIF orientation, 1 .. 8; from 5 on, a loader that heeds it swaps height and width. */
  readonly orientation: number;
}

/** What is read at first; enough for most files. */
export const FIRST = 4096;

/** Segments that are looked through for the size at most, so that a crafted file does not keep us. */
const MOST_SEGMENTS = 10_000;

function bad(why: string): never {
  throw new InputError("INVALID_FILE", why);
}

/** A window on a file, which is moved where more is asked for. */
class Bytes {
  readonly #read: ReadAt;
  #start = 0;
  #bytes: Uint8Array;

  constructor(read: ReadAt, first: Uint8Array) {
    this.#read = read;
    this.#bytes = first;
  }

  /** `length` bytes at `offset`, fewer where the file ends. */
  at(offset: number, length: number): Uint8Array {
    const from = offset - this.#start;
    if (from >= 0 && from + length <= this.#bytes.length) return this.#bytes.subarray(from, from + length);
    this.#bytes = this.#read(offset, Math.max(length, FIRST));
    this.#start = offset;
    return this.#bytes.subarray(0, length);
  }

  /** The same, all of it. */
  whole(offset: number, length: number): Uint8Array {
    const bytes = this.at(offset, length);
    return bytes.length === length ? bytes : bad("the file ends within its header");
  }

  number(offset: number, length: number, littleEndian: boolean): number {
    const bytes = this.whole(offset, length);
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + bytes[littleEndian ? length - 1 - i : i];
    return value;
  }
}

const ascii = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/** The orientation in a TIFF directory, such as EXIF has: 1 where there is none. */
function orientationOf(exif: Uint8Array): number | undefined {
  const order = ascii(exif.subarray(0, 2));
  if (order !== "II" && order !== "MM") return undefined;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const little = order === "II";
  if (exif.length < 8) return undefined;
  const start = view.getUint32(4, little);
  if (start + 2 > exif.length) return undefined;
  const count = view.getUint16(start, little);
  for (let i = 0; i < count; i++) {
    const at = start + 2 + i * 12;
    if (at + 12 > exif.length) return undefined;
    if (view.getUint16(at, little) !== 0x112) continue;
    const value =
      view.getUint16(at + 2, little) === 4 ? view.getUint32(at + 8, little) : view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return undefined;
}

/** Where EXIF says nothing, Pillow looks into XMP. */
function orientationInXmp(xmp: Uint8Array): number | undefined {
  const found = /tiff:Orientation(?:="|>)([0-9])/.exec(new TextDecoder("latin1").decode(xmp));
  const value = found === null ? 0 : Number(found[1]);
  return value >= 1 && value <= 8 ? value : undefined;
}

function png(bytes: Bytes): PictureSize {
  const width = bytes.number(16, 4, false);
  const height = bytes.number(20, 4, false);
  let orientation: number | undefined;
  // The chunks before the pixels: EXIF stands there, if anywhere.
  let at = 8;
  for (let i = 0; i < 100; i++) {
    const head = bytes.at(at, 8);
    if (head.length < 8) break;
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
    const type = ascii(head.subarray(4, 8));
    if (type === "IDAT" || type === "IEND") break;
    if (type === "eXIf" && length < 1 << 20) orientation = orientationOf(bytes.at(at + 8, length));
    at += 12 + length;
  }
  return { format: "PNG", height, width, orientation: orientation ?? 1 };
}

function jpeg(bytes: Bytes): PictureSize {
  let orientation: number | undefined;
  let inXmp: number | undefined;
  let at = 2;
  for (let i = 0; i < MOST_SEGMENTS; i++) {
    let marker = bytes.at(at, 1)[0];
    // Anything may stand between two segments, and a marker may have fill bytes before it.
    while (marker !== undefined && marker !== 0xff) marker = bytes.at(++at, 1)[0];
    while (marker === 0xff) marker = bytes.at(++at, 1)[0];
    if (marker === undefined) break;
    at++;
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (marker === 0xd9 || marker === 0xda) break;
    const length = bytes.number(at, 2, false);
    if (length < 2) bad("a segment of it has no length");
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const height = bytes.number(at + 3, 2, false);
      const width = bytes.number(at + 5, 2, false);
      return { format: "JPEG", height, width, orientation: orientation ?? inXmp ?? 1 };
    }
    if (marker === 0xe1) {
      const head = ascii(bytes.at(at + 2, 29));
      if (head.startsWith("Exif\0")) orientation ??= orientationOf(bytes.at(at + 8, length - 8));
      else if (head.startsWith("http://ns.adobe.com/xap/1.0/"))
        inXmp ??= orientationInXmp(bytes.at(at + 2, length - 2));
    }
    at += length;
  }
  return bad("no size is found in the JPEG file");
}

function gif(bytes: Bytes): PictureSize {
  let width = bytes.number(6, 2, true);
  let height = bytes.number(8, 2, true);
  const flags = bytes.number(10, 1, true);
  let at = 13 + ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
  // The first picture may reach beyond the screen.
  for (let i = 0; i < MOST_SEGMENTS; i++) {
    const [introducer] = bytes.at(at, 1);
    if (introducer === 0x2c) {
      const place = bytes.whole(at + 1, 8);
      const side = (offset: number) => place[offset] + place[offset + 1] * 256;
      width = Math.max(width, side(0) + side(4));
      height = Math.max(height, side(2) + side(6));
      break;
    }
    if (introducer !== 0x21) break;
    at += 2;
    for (;;) {
      const [size] = bytes.at(at, 1);
      if (size === undefined) return bad("the file ends within its header");
      at += size + 1;
      if (size === 0) break;
    }
  }
  return { format: "GIF", height, width, orientation: 1 };
}

function bmp(bytes: Bytes): PictureSize {
  const size = bytes.number(14, 4, true);
  if (size === 12) {
    return { format: "BMP", width: bytes.number(18, 2, true), height: bytes.number(20, 2, true), orientation: 1 };
  }
  // From the bottom up or, with a negative height, from the top down.
  const height = bytes.number(22, 4, true);
  return {
    format: "BMP",
    width: bytes.number(18, 4, true),
    height: height >= 2 ** 31 ? 2 ** 32 - height : height,
    orientation: 1,
  };
}

function webp(bytes: Bytes): PictureSize {
  const kind = ascii(bytes.whole(12, 4));
  if (kind === "VP8 ") {
    const word = (at: number) => bytes.number(at, 2, true) & 0x3fff;
    if (bytes.number(23, 3, false) !== 0x9d012a) bad("no size is found in the WebP file");
    return { format: "WebP", width: word(26), height: word(28), orientation: 1 };
  }
  if (kind === "VP8L") {
    const bits = bytes.number(21, 4, true);
    return { format: "WebP", width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, orientation: 1 };
  }
  if (kind !== "VP8X") bad(`a WebP file that begins with ${JSON.stringify(kind)}`);
  const flags = bytes.number(20, 1, true);
  const width = bytes.number(24, 3, true) + 1;
  const height = bytes.number(27, 3, true) + 1;
  let orientation: number | undefined;
  let inXmp: number | undefined;
  // EXIF and XMP follow the pixels.
  if ((flags & 0x0c) !== 0) {
    let at = 12;
    for (let i = 0; i < MOST_SEGMENTS; i++) {
      const head = bytes.at(at, 8);
      if (head.length < 8) break;
      const length = new DataView(head.buffer, head.byteOffset).getUint32(4, true);
      const type = ascii(head.subarray(0, 4));
      if (type === "EXIF" && length < 1 << 20) {
        const exif = bytes.at(at + 8, length);
        orientation = orientationOf(ascii(exif.subarray(0, 6)) === "Exif\0\0" ? exif.subarray(6) : exif);
      }
      if (type === "XMP " && length < 1 << 20) inXmp = orientationInXmp(bytes.at(at + 8, length));
      at += 8 + length + (length % 2);
    }
  }
  return { format: "WebP", height, width, orientation: orientation ?? inXmp ?? 1 };
}

function tiff(bytes: Bytes, little: boolean): PictureSize {
  const directory = bytes.number(4, 4, little);
  const count = bytes.number(directory, 2, little);
  const values = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const at = directory + 2 + i * 12;
    const tag = bytes.number(at, 2, little);
    if (tag !== 0x100 && tag !== 0x101 && tag !== 0x112) continue;
    values.set(tag, bytes.number(at + 8, bytes.number(at + 2, 2, little) === 3 ? 2 : 4, little));
  }
  const [width, height] = [values.get(0x100) ?? 0, values.get(0x101) ?? 0];
  const turned = (values.get(0x112) ?? 1) >= 5;
  return { format: "TIFF", height: turned ? width : height, width: turned ? height : width, orientation: 1 };
}

function pnm(bytes: Bytes): PictureSize {
  const text = ascii(bytes.at(0, 512));
  const found = /^P[1-6](?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s/.exec(text);
  if (found === null) return bad("no size is found in the PNM file");
  return { format: "PNM", width: Number(found[1]), height: Number(found[2]), orientation: 1 };
}

function parse(bytes: Bytes): PictureSize | undefined {
  const head = bytes.at(0, 12);
  const text = ascii(head);
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return png(bytes);
  if (text.startsWith("\xff\xd8")) return jpeg(bytes);
  if (text.startsWith("RIFF") && text.endsWith("WEBP")) return webp(bytes);
  if (text.startsWith("GIF8")) return gif(bytes);
  if (text.startsWith("BM")) return bmp(bytes);
  if (text.startsWith("II*\0")) return tiff(bytes, true);
  if (text.startsWith("MM\0*")) return tiff(bytes, false);
  return /^P[1-6][\s#]/.test(text) ? pnm(bytes) : undefined;
}

/**
 * The size of a picture: PNG, JPEG, WebP, GIF, BMP, TIFF or PNM.
 *
 * @param first the first bytes, FIRST of them or all there are; more is read where it takes more.
 * @throws InputError INVALID_FILE for another format, a file that is cut off, or a picture without a pixel.
 */
export function pictureSize(first: Uint8Array, read: ReadAt): PictureSize {
  if (first.length === 0) return bad("the file is empty");
  const size = parse(new Bytes(read, first));
  if (size === undefined) return bad("not a picture of a known format (PNG, JPEG, WebP, GIF, BMP, TIFF, PNM)");
  if (size.height < 1 || size.width < 1)
    return bad(`a ${size.format} picture of ${size.width} x ${size.height} pixels`);
  return size;
}

/** The size of a picture whose bytes are all there, or as many of them as are needed. */
export function pictureSizeOf(bytes: Uint8Array): PictureSize {
  return pictureSize(bytes, (offset, length) => bytes.subarray(offset, offset + length));
}

/** Height and width as a loader has them that heeds the orientation, or does not. */
export function seen(size: PictureSize, exif: "transpose" | "ignore"): readonly [height: number, width: number] {
  const turned = exif === "transpose" && size.orientation >= 5;
  return turned ? [size.width, size.height] : [size.height, size.width];
}
