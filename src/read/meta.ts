import { InputError, show } from "../core/errors.ts";
import { needed } from "./host.ts";
import type { Source } from "./peekable.ts";

/** A meta file names data sets, in a few lines each. Anything larger is a length file. */
const MAX_META = 1 << 22;

/** One length file that a meta file names. */
export interface MetaEntry {
  readonly name: string;
  readonly path: string;
}

/**
 * The object in a meta file, or undefined if this is another kind of file. A meta file is one object whose values are
 * objects; a record has numbers in it, and two records one after another are not JSON.
 */
export async function parseMeta(source: Source): Promise<Record<string, Record<string, unknown>> | undefined> {
  const bytes = await source.peek(MAX_META + 1);
  if (bytes.length > MAX_META) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  const isObject = (x: unknown) => typeof x === "object" && x !== null && !Array.isArray(x);
  if (!isObject(value)) return undefined;
  const values = Object.values(value as object);
  return values.length > 0 && values.every(isObject) ? (value as Record<string, Record<string, unknown>>) : undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    await needed("node:fs/promises").access(path);
    return true;
  } catch {
    return false;
  }
}

/** The files that the entries name: relative to the meta file, else to the working folder. */
export async function metaEntries(
  path: string,
  meta: Record<string, Record<string, unknown>>,
): Promise<readonly MetaEntry[]> {
  const { dirname, isAbsolute, resolve } = needed("node:path");
  const entries: MetaEntry[] = [];
  for (const [name, entry] of Object.entries(meta)) {
    const file = entry.token_lengths;
    if (typeof file !== "string" || file === "") {
      throw new InputError(
        "MISSING_FIELD",
        file === undefined
          ? `${path}: entry ${show(name)}: token_lengths is missing`
          : `${path}: entry ${show(name)}: token_lengths is ${show(file)}, expected the path of a length file`,
      );
    }
    const places = isAbsolute(file) ? [file] : [...new Set([resolve(dirname(path), file), resolve(file)])];
    const found: string[] = [];
    for (const place of places) if (await exists(place)) found.push(place);
    if (found.length === 0) {
      throw new InputError("INVALID_FILE", `${path}: entry ${show(name)}: no such file: ${places.join(" nor ")}`);
    }
    entries.push({ name, path: found[0] });
  }
  return entries;
}
