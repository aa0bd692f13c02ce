// Packings and plans as bytes, for any host: the entry `omnibal/write` where there is no disk.
import type { HasCore } from "../core/core.ts";
import { OptionError, show } from "../core/errors.ts";
import type { Packing } from "../pack/packing.ts";
import type { Plan } from "../plan/plan.ts";
import { type Format, filesToWrite, type Pieces, type Written } from "./format.ts";
import { formats } from "./formats.ts";
import { planFormats } from "./plan.ts";

export type { FileFormat, FolderFormat, Format, FormatAbout, Pieces, Written } from "./format.ts";
export { formats } from "./formats.ts";
export { type PlanFormat, type PlanWritten, planFormats, rounded } from "./plan.ts";

/** The samples that a packing is of, as `readLengths` gives them. */
export type WrittenSamples = Pick<Written, "tokens" | "files">;

/** A format's files by name: `stem` and the format's name for a single file, or those of its folder. */
function filesOf<T>(all: readonly Format<T>[], name: string, stem: string, written: T): ReadonlyMap<string, Pieces> {
  const format = all.find((own) => own.name === name);
  if (format === undefined) {
    const names = all.map((own) => own.name).join(", ");
    throw new OptionError("INVALID_OPTION", `format is ${show(name)}, expected one of ${names}`);
  }
  const files = "file" in format ? [[`${stem}.${name}`, format.file] as const] : filesToWrite(format, written);
  return new Map(files.map(([name, make]) => [name, { [Symbol.iterator]: () => make(written)[Symbol.iterator]() }]));
}

/**
 * The bytes of a packing in one of `formats`, as pieces by file name: packing.json, packing.jsonl, or the files of a
 * folder. They are those that `omnibal pack` writes, on every host. Pieces are made as they are taken, anew each time
 * they are iterated; the instance is busy until the last piece of a file is taken. O(samples).
 *
 * @throws OptionError INVALID_OPTION for an unknown format; while pieces are taken, as `packingText`.
 */
export function packingFiles(
  { core }: HasCore,
  packing: Packing,
  { tokens, files }: WrittenSamples,
  format = "json",
): ReadonlyMap<string, Pieces> {
  return filesOf(formats, format, "packing", { core, packing, tokens, files });
}

/**
 * The same for a plan and its packing, in one of `planFormats`: plan.json, or the files of a folder.
 *
 * @throws As `packingFiles`.
 */
export function planFiles(
  { core }: HasCore,
  plan: Plan,
  packing: Packing,
  { tokens, files }: WrittenSamples,
  format = "json",
): ReadonlyMap<string, Pieces> {
  return filesOf(planFormats, format, "plan", { core, plan, packing, tokens, files });
}
