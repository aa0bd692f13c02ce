// What `evaluate` and `plan` begin with: samples, and a packing of them.
import type { Omnibal } from "../omnibal.ts";
import type { Packing } from "../pack/packing.ts";
import { type PackedLengths, readPacking } from "../read/index.ts";
import { textOption, UsageError, type Values } from "./command.ts";
import { readFiles, sayWaiting } from "./input.ts";
import { Progress } from "./progress.ts";
import { megabytes, thousands } from "./table.ts";

export const packingHelp = `PACKING is what \`omnibal pack\` wrote of the same FILEs, in any of its formats,
or another tool: {"groups":[[3,1],...]} or [[3,1],...], samples from 0 on.`;

/** The option that names it; asked for before any file is read. */
export function packingOption(values: Values): string {
  const path = textOption(values, "packing");
  if (path === undefined) throw new UsageError("--packing is missing");
  return path;
}

export async function readPacked(
  omnibal: Omnibal,
  files: readonly string[],
  path: string,
  values: Values,
): Promise<{ lengths: PackedLengths; packing: Packing }> {
  const lengths = await readFiles(files, values);
  const progress = new Progress("reading", values.quiet === true);
  let packing: Packing;
  try {
    packing = await readPacking(omnibal, path, lengths, {
      onWait: sayWaiting(values),
      onProgress: (bytes, total) => progress.update(bytes, total, `of ${megabytes(total)}`),
    });
  } finally {
    progress.end();
  }
  const missing = missingSamples(packing, lengths);
  if (missing > 0 && values.quiet !== true) {
    const all = thousands(lengths.tokens.length);
    process.stderr.write(`omnibal: ${path}: leaves out ${thousands(missing)} of ${all} samples\n`);
  }
  return { lengths, packing };
}

/** Samples that neither a group nor the list of oversize samples has. */
export function missingSamples({ indices, oversize }: Packing, { tokens }: PackedLengths): number {
  return tokens.length - indices.length - oversize.length;
}

/** The packing in a line of at most 66 columns. */
export function packingLine(packing: Packing, lengths: PackedLengths): string {
  const missing = missingSamples(packing, lengths);
  const out = [
    packing.oversize.length > 0 ? `, ${thousands(packing.oversize.length)} oversize` : "",
    missing > 0 ? `, ${thousands(missing)} in none` : "",
  ].join("");
  return `${thousands(packing.length)} groups of ${thousands(packing.indices.length)} samples${out}`;
}
