// Pictures on the disk, below a folder and nowhere else.
import { closeSync, constants, openSync, readSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";
import { InputError } from "../../core/errors.ts";
import { FIRST, type PictureSize, pictureSize } from "./header.ts";

/** Folders whose real place is kept. */
const MOST_FOLDERS = 1 << 16;

function bad(why: string): never {
  throw new InputError("INVALID_FILE", why);
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EISDIR: "is a folder, expected a picture",
  EACCES: "not allowed to read it",
  EPERM: "not allowed to read it",
  ENAMETOOLONG: "no such file: the name is too long",
  ELOOP: "a symbolic link to itself",
  EMFILE: "too many files are open",
};

/** Reads the sizes of picture files below a root. */
export class PictureFiles {
  readonly #base: string;
  readonly #realRoot: string;
  readonly #folders = new Map<string, string>();
  readonly #buffer = new Uint8Array(FIRST);

  /**
   * @param root the folder that no read leaves.
   * @param base what paths are relative to, the root unless it is another folder below.
   * @throws InputError INVALID_FILE if there is no such folder.
   */
  constructor(root: string, base = root) {
    this.#base = resolve(base);
    try {
      this.#realRoot = realpathSync.native(resolve(root));
    } catch (error) {
      throw new InputError("INVALID_FILE", `${root}: no such folder of pictures`, { cause: error });
    }
  }

  /**
   * The size of the picture at `path`, which is relative to the base or absolute, and lies below the root.
   *
   * @throws InputError INVALID_FILE, without the path, for what cannot be read, is not a picture, or is elsewhere.
   */
  size(path: string): PictureSize {
    if (path === "" || path.includes("\0")) return bad("no path of a picture");
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return bad("an address, which is not fetched: only files are read");
    const full = isAbsolute(path) ? resolve(path) : join(this.#base, path);
    const file = this.#open(full);
    try {
      const read = (offset: number, length: number) => {
        const buffer = length <= FIRST && offset === 0 ? this.#buffer : new Uint8Array(length);
        let have = 0;
        while (have < length) {
          const more = readSync(file, buffer, have, length - have, offset + have);
          if (more === 0) break;
          have += more;
        }
        return buffer.subarray(0, have);
      };
      return pictureSize(read(0, FIRST), read);
    } catch (error) {
      throw translated(error);
    } finally {
      closeSync(file);
    }
  }

  #open(full: string): number {
    const folder = this.#realFolder(dirname(full));
    if (!this.#isBelow(folder)) return bad("lies outside of the folder of pictures, which --images names");
    try {
      return openSync(full, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOOP") throw translated(error);
    }
    // A link, to wherever it leads.
    let real: string;
    try {
      real = realpathSync.native(full);
    } catch (error) {
      throw translated(error);
    }
    if (!this.#isBelow(dirname(real))) return bad("is a link that leads out of the folder of pictures");
    try {
      return openSync(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      throw translated(error);
    }
  }

  #isBelow(folder: string): boolean {
    const root = this.#realRoot;
    return folder === root || folder.startsWith(root.endsWith(sep) ? root : root + sep);
  }

  #realFolder(folder: string): string {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    let real: string;
    try {
      real = realpathSync.native(folder);
    } catch (error) {
      throw translated(error);
    }
    if (this.#folders.size >= MOST_FOLDERS) this.#folders.clear();
    this.#folders.set(folder, real);
    return real;
  }
}

/** What the file system says, in words. */
function translated(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof InputError || code === undefined) return error;
  return new InputError("INVALID_FILE", WHY[code] ?? `cannot be read (${code})`, { cause: error });
}
