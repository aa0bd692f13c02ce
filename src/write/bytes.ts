// Packings and plans as bytes, for any host: the entry `omnibal/write` where there is no disk.
import type { HasCore } from "../core/core.ts";
import { OptionError, show } from "../core/errors.ts";
import type { Packing } from "../pack/packing.ts";
import type { Plan } from "../plan/plan.ts";
import type { Format, Pieces, Written } from "./format.ts";
import { formats } from "./formats.ts";
import { planFormats } from "./plan.ts";

export type { Format, Pieces, Written } from "./format.ts";
export { formats } from "./formats.ts";
export { type PlanFormat, type PlanWritten, planFormats, rounded } from "./plan.ts";

/** The samples that a packing is of, as `readLengths` gives them. */
export type WrittenSamples = Pick<Written, "tokens" | "files">;

/** The files of a format by their names: one, `stem` and the format's name, or those of a folder. */
function filesOf<T>(all: readonly Format<T>[], name: string, stem: string, written: T): ReadonlyMap<string, Pieces> {
  const format = all.find((own) => own.name === name);
  if (format === undefined) {
    const names = all.map((own) => own.name).join(", ");
    throw new OptionError("INVALID_OPTION", `format is ${show(name)}, expected one of ${names}`);
  }
  const files = "file" in format ? { [`${stem}.${name}`]: format.file } : format.folder;
  return new Map(
    Object.entries(files).map(([name, make]) => [name, { [Symbol.iterator]: () => make(written)[Symbol.iterator]() }]),
  );
}

/**
 * A packing in one of `formats`, as pieces of bytes by the name of the file that they are: packing.json, packing.jsonl, or the
 * files of a folder. The same packing gives the same bytes on every host, and as `omnibal pack` writes them. Pieces are
 * made while they are taken, as often as they are, with the instance at work until the last one of a file.
 *
 * @throws OptionError for a format that is not there; while pieces are taken, as `packingText`.
 */
export function packingFiles(
  { core }: HasCore,
  packing: Packing,
  { tokens, files }: WrittenSamples,
  format = "json",
): ReadonlyMap<string, Pieces> {
  return filesOf(formats, format, "packing", { core, packing, tokens, files });
}

/** The same for a plan and the packing it is over, in one of `planFormats`: plan.json, or the files of a folder. */
export function planFiles(
  { core }: HasCore,
  plan: Plan,
  packing: Packing,
  { tokens, files }: WrittenSamples,
  format = "json",
): ReadonlyMap<string, Pieces> {
  return filesOf(planFormats, format, "plan", { core, plan, packing, tokens, files });
}
