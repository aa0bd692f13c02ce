import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.ts";
import { PictureFiles } from "../../src/measure/images/files.ts";
import { FIRST, pictureSize, pictureSizeOf, seen } from "../../src/measure/images/header.ts";
import { testFolder } from "../folder.ts";
import { bmp, gif, jpeg, png, tiff, webp } from "./pictures.ts";

const sides = fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 3000 }));
const orientation = fc.integer({ min: 0, max: 8 });

/** [height, width] as stored and as turned. */
function sizes(bytes: Uint8Array) {
  const size = pictureSizeOf(bytes);
  return { ignore: [...seen(size, "ignore")], transpose: [...seen(size, "transpose")] };
}

function expected(width: number, height: number, turned: boolean) {
  return { ignore: [height, width], transpose: turned ? [width, height] : [height, width] };
}

describe("sizes of pictures", () => {
  const property = (check: (width: number, height: number, turn: number) => void) =>
    fc.assert(
      fc.property(sides, orientation, ([width, height], turn) => {
        check(width, height, turn);
      }),
      { numRuns: 60, seed: 2 },
    );

  test("PNG", () =>
    property((w, h, o) =>
      expect(sizes(png(Math.min(w, 400), Math.min(h, 400), o))).toEqual(
        expected(Math.min(w, 400), Math.min(h, 400), o >= 5),
      ),
    ));
  test("JPEG", () => {
    property((w, h, o) => {
      for (const little of [true, false])
        expect(sizes(jpeg(w, h, { orientation: o, little }))).toEqual(expected(w, h, o >= 5));
      expect(sizes(jpeg(w, h, { orientation: o, progressive: true, fill: 3 }))).toEqual(expected(w, h, o >= 5));
      // EXIF goes before XMP.
      expect(sizes(jpeg(w, h, { orientation: o, xmp: 6 }))).toEqual(expected(w, h, o === 0 || o >= 5));
    });
  });
  test("JPEG whose size stands behind much else", () => {
    expect(sizes(jpeg(640, 480, { orientation: 6, before: 300_000 }))).toEqual(expected(640, 480, true));
  });
  test("WebP of three kinds", () => {
    property((w, h, o) => {
      expect(sizes(webp(w, h, "VP8 "))).toEqual(expected(w, h, false));
      expect(sizes(webp(w, h, "VP8L"))).toEqual(expected(w, h, false));
      expect(sizes(webp(w, h, "VP8X", o))).toEqual(expected(w, h, o >= 5));
    });
  });
  test("GIF, whose first frame may be larger than its screen", () => {
    property((w, h) => expect(sizes(gif(w, h))).toEqual(expected(w, h, false)));
    expect(sizes(gif(10, 20, [5, 0, 25, 10]))).toEqual(expected(30, 20, false));
  });
  test("BMP of two kinds, from the top down too", () => {
    property((w, h) => {
      expect(sizes(bmp(w, h))).toEqual(expected(w, h, false));
      expect(sizes(bmp(w, h, true))).toEqual(expected(w, h, false));
    });
    expect(sizes(bmp(30, 2 ** 32 - 20))).toEqual(expected(30, 20, false));
  });
  test("TIFF is turned by Pillow itself", () => {
    property((w, h, o) => {
      const turned = o >= 5;
      const size = turned ? [w, h] : [h, w];
      for (const little of [true, false])
        expect(sizes(tiff(w, h, Math.max(o, 1), little))).toEqual({ ignore: size, transpose: size });
    });
  });
  test("PNM with comments", () => {
    expect(sizes(new TextEncoder().encode("P6 # a\n# b\n 30\n20 255\n"))).toEqual(expected(30, 20, false));
  });

  test("what is no picture, or none of a pixel, is an error", () => {
    const bad = (bytes: Uint8Array | string, why: string) => {
      const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
      expect(() => pictureSizeOf(all)).toThrow(InputError);
      expect(() => pictureSizeOf(all)).toThrow(why);
    };
    bad("", "empty");
    bad("hello", "not a picture");
    bad("<svg/>", "not a picture");
    bad(jpeg(10, 10).subarray(0, 50), "no size");
    bad(png(10, 10).subarray(0, 20), "ends within");
    bad(webp(10, 10).subarray(0, 25), "ends within");
    bad(jpeg(0, 10), "0 x 10");
    bad(tiff(10, 10).subarray(0, 3000), "ends within");
  });

  test("any bytes give a size or an error, and soon", () => {
    const heads = [png(9, 9), jpeg(9, 9, { orientation: 6 }), webp(9, 9, "VP8X", 6), gif(9, 9), bmp(9, 9), tiff(9, 9)];
    fc.assert(
      fc.property(
        fc.constantFrom(...heads),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 12 }),
        fc.nat(400),
        (head, changes, cut) => {
          const bytes = head.slice(0, Math.max(cut, 1));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          let reads = 0;
          try {
            pictureSize(bytes.subarray(0, FIRST), (offset, length) => {
              if (++reads > 20_000) throw new Error("reads without end");
              return bytes.subarray(offset, offset + length);
            });
          } catch (error) {
            if (!(error instanceof InputError)) throw error;
          }
          expect(reads).toBeLessThan(20_000);
        },
      ),
      { numRuns: 3000, seed: 4 },
    );
  });
});

describe("files below a folder", () => {
  const top = testFolder();
  const why = (files: PictureFiles, path: string) => {
    try {
      files.size(path);
      return "read";
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return error.message;
    }
  };

  test("nothing is read outside, by dots, absolute paths or links", () => {
    const folder = join(top, "links");
    mkdirSync(join(folder, "root/sub"), { recursive: true });
    mkdirSync(join(folder, "other"));
    writeFileSync(join(folder, "secret.png"), png(5, 5));
    writeFileSync(join(folder, "root/a.png"), png(7, 3));
    writeFileSync(join(folder, "root/sub/b.jpg"), jpeg(8, 4));
    writeFileSync(join(folder, "other/c.png"), png(5, 5));
    symlinkSync("a.png", join(folder, "root/inside.png"));
    symlinkSync("../secret.png", join(folder, "root/outside.png"));
    symlinkSync("../other", join(folder, "root/folder"));
    symlinkSync("loop.png", join(folder, "root/loop.png"));
    const files = new PictureFiles(join(folder, "root"));
    for (const path of ["a.png", "sub/../a.png", "./a.png", "inside.png", join(folder, "root/a.png")]) {
      expect([path, files.size(path)]).toEqual([path, { format: "PNG", width: 7, height: 3, orientation: 1 }]);
    }
    expect(files.size("sub/b.jpg").width).toBe(8);
    const outside = "lies outside of the folder of pictures, which --images names";
    expect(why(files, "../secret.png")).toBe(outside);
    expect(why(files, "sub/../../secret.png")).toBe(outside);
    expect(why(files, join(folder, "secret.png"))).toBe(outside);
    expect(why(files, "folder/c.png")).toBe(outside);
    expect(why(files, "outside.png")).toBe("is a link that leads out of the folder of pictures");
    expect(why(files, "loop.png")).toBe("a symbolic link to itself");
    expect(why(files, "none.png")).toBe("no such file");
    expect(why(files, "sub")).toBe("is a folder, expected a picture");
    expect(why(files, "a.png\0.txt")).toBe("no path of a picture");
    expect(why(files, "https://example.org/a.png")).toContain("an address");
    expect(why(files, "x".repeat(5000))).toContain("too long");
    expect(() => new PictureFiles(join(folder, "nowhere"))).toThrow("no such folder of pictures");
  });

  test("a base below the root", () => {
    const folder = join(top, "base");
    mkdirSync(join(folder, "root/set"), { recursive: true });
    writeFileSync(join(folder, "root/set/a.png"), png(7, 3));
    writeFileSync(join(folder, "root/b.png"), png(9, 3));
    const files = new PictureFiles(join(folder, "root"), join(folder, "root/set"));
    expect([files.size("a.png").width, files.size("../b.png").width]).toEqual([7, 9]);
    expect(why(files, "../../c.png")).toContain("outside");
  });
});
