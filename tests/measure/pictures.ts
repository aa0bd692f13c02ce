// Picture files as small as can be, with every size and orientation: what stands before the pixels is whole.
import { crc32, deflateSync } from "node:zlib";

const u16 = (value: number, little = false) => (little ? [value & 255, value >> 8] : [value >> 8, value & 255]);
const u32 = (value: number, little = false) => {
  const bytes = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return little ? bytes.reverse() : bytes;
};
const text = (value: string) => Array.from(value, (c) => c.charCodeAt(0));

/** A TIFF directory with the orientation, as EXIF has it. */
export function exif(orientation: number, little = true): number[] {
  return [
    ...text(little ? "II" : "MM"),
    ...u16(42, little),
    ...u32(8, little),
    ...u16(2, little),
    // Something before it.
    ...u16(0x10f, little), ...u16(2, little), ...u32(4, little), ...text("abc\0"),
    ...u16(0x112, little), ...u16(3, little), ...u32(1, little), ...u16(orientation, little), 0, 0,
    ...u32(0, little),
  ]; // biome-ignore format: a directory
}

function chunk(type: string, data: Uint8Array): number[] {
  const body = Uint8Array.from([...text(type), ...data]);
  return [...u32(data.length), ...body, ...u32(crc32(body))];
}

export function png(width: number, height: number, orientation = 0): Uint8Array {
  const header = Uint8Array.from([...u32(width), ...u32(height), 1, 0, 0, 0, 0]);
  const rows = deflateSync(new Uint8Array((Math.ceil(width / 8) + 1) * height));
  return Uint8Array.from([
    ...text("\x89PNG\r\n\x1a\n"),
    ...chunk("IHDR", header),
    ...(orientation > 0 ? chunk("eXIf", Uint8Array.from(exif(orientation))) : []),
    ...chunk("IDAT", rows),
    ...chunk("IEND", new Uint8Array(0)),
  ]);
}

export interface JpegOptions {
  readonly orientation?: number;
  readonly little?: boolean;
  /** Orientation in XMP. */
  readonly xmp?: number;
  /** Bytes of other segments before the size. */
  readonly before?: number;
  /** Bytes 0xff before each marker. */
  readonly fill?: number;
  readonly progressive?: boolean;
}

export function jpeg(width: number, height: number, options: JpegOptions = {}): Uint8Array {
  const { orientation = 0, little = true, xmp = 0, before = 0, fill = 0, progressive = false } = options;
  const parts: number[][] = [[0xff, 0xd8]];
  const segment = (marker: number, data: readonly number[]) => {
    parts.push([...Array(fill).fill(0xff), 0xff, marker, ...u16(data.length + 2), ...data]);
  };
  segment(0xe0, [...text("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0]);
  if (orientation > 0) segment(0xe1, [...text("Exif\0\0"), ...exif(orientation, little)]);
  if (xmp > 0) segment(0xe1, text(`http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="${xmp}"/>`));
  for (let left = before; left > 0; left -= 60000) segment(0xe2, Array(Math.min(left, 60000)).fill(0x20));
  segment(0xdb, [0, ...Array(64).fill(1)]);
  segment(progressive ? 0xc2 : 0xc0, [8, ...u16(height), ...u16(width), 1, 1, 0x11, 0]);
  parts.push([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0, 0xff, 0xd9]);
  return Uint8Array.from(parts.flat());
}

/** WebP: lossy, lossless, or with more than pixels in it, such as EXIF behind them. */
export function webp(
  width: number,
  height: number,
  kind: "VP8 " | "VP8L" | "VP8X" = "VP8 ",
  orientation = 0,
): Uint8Array {
  const lossless = [0x2f, ...u32(((height - 1) << 14) | (width - 1), true), 0, 0, 0];
  const lossy = [0x10, 0, 0, 0x9d, 0x01, 0x2a, ...u16(width, true), ...u16(height, true)];
  const part = (type: string, data: readonly number[]) => [
    ...text(type),
    ...u32(data.length, true),
    ...data,
    ...(data.length % 2 === 1 ? [0] : []),
  ];
  const u24 = (value: number) => [value & 255, (value >> 8) & 255, value >> 16];
  const body =
    kind === "VP8L"
      ? part("VP8L", lossless)
      : kind === "VP8 "
        ? part("VP8 ", lossy)
        : [
            ...part("VP8X", [orientation > 0 ? 8 : 0, 0, 0, 0, ...u24(width - 1), ...u24(height - 1)]),
            ...part("VP8 ", [...lossy, ...Array(9001).fill(0)]),
            ...(orientation > 0 ? part("EXIF", exif(orientation)) : []),
          ];
  return Uint8Array.from([...text("RIFF"), ...u32(body.length + 4, true), ...text("WEBP"), ...body]);
}

export function gif(width: number, height: number, frame: readonly number[] = [0, 0, width, height]): Uint8Array {
  return Uint8Array.from([
    ...text("GIF89a"), ...u16(width, true), ...u16(height, true), 0x80, 0, 0, ...Array(6).fill(0),
    0x21, 0xfe, 5, ...text("hello"), 0,
    0x2c, ...frame.flatMap((side) => u16(side, true)), 0, 2, 2, 0x4c, 1, 0, 0x3b,
  ]); // biome-ignore format: blocks
}

export function bmp(width: number, height: number, old = false): Uint8Array {
  const head = old
    ? [...u32(12, true), ...u16(width, true), ...u16(height, true)]
    : [...u32(40, true), ...u32(width, true), ...u32(height, true)];
  return Uint8Array.from([...text("BM"), ...Array(12).fill(0), ...head, ...u16(1, true), ...u16(24, true)]);
}

export function tiff(width: number, height: number, orientation = 1, little = true): Uint8Array {
  const entry = (tag: number, value: number) => [
    ...u16(tag, little),
    ...u16(4, little),
    ...u32(1, little),
    ...u32(value, little),
  ];
  return Uint8Array.from([
    ...text(little ? "II" : "MM"),
    ...u16(42, little),
    ...u32(5000, little),
    ...Array(4992).fill(0),
    ...u16(3, little),
    ...entry(0x100, width),
    ...entry(0x101, height),
    ...[...u16(0x112, little), ...u16(3, little), ...u32(1, little), ...u16(orientation, little), 0, 0],
    ...u32(0, little),
  ]);
}

/** A tar archive of files. */
export function tar(
  files: readonly (readonly [name: string, content: Uint8Array | string])[],
  ended = true,
): Uint8Array {
  const blocks: Uint8Array[] = [];
  const add = (name: string, content: Uint8Array, type: string) => {
    const header = new Uint8Array(512);
    const put = (at: number, value: string) => header.set(Buffer.from(value), at);
    put(0, name.slice(0, 100));
    put(100, "0000644\0");
    put(124, `${content.length.toString(8).padStart(11, "0")}\0`);
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, type);
    put(257, "ustar\0" + "00");
    const sum = header.reduce((total, byte) => total + byte, 0);
    put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
    const padded = new Uint8Array(Math.ceil(content.length / 512) * 512);
    padded.set(content);
    blocks.push(header, padded);
  };
  for (const [name, content] of files) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    if (name.length > 100) {
      const record = ` path=${name}\n`;
      const length = record.length + String(record.length + 3).length;
      add("pax", new TextEncoder().encode(`${length}${record}`), "x");
    }
    add(name, bytes, "0");
  }
  if (ended) blocks.push(new Uint8Array(1024));
  return Uint8Array.from(Buffer.concat(blocks));
}
