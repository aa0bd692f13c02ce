// What `evaluate` and `plan` start from: samples, and a packing of them.
import type { Omnibal } from "../omnibal.ts";
import type { PackOptions } from "../pack/methods.ts";
import { resolveLoads } from "../pack/options.ts";
import type { Packing } from "../pack/packing.ts";
import { type OpenPacking, openPacking, type ReadResult } from "../read/index.ts";
import { type CommandOptions, textOption, UsageError, type Values } from "./command.ts";
import { namedLoads, readFiles, sayWaiting } from "./input.ts";
import { ownPackOptions, packOptions, packWithProgress } from "./pack.ts";
import { Progress } from "./progress.ts";
import { megabytes, thousands } from "./table.ts";

export const packingHelp = `PACKING is what \`omnibal pack\` wrote for the same FILEs, in any of its formats,
or groups of another tool: {"groups":[[3,1],...]} or [[3,1],...].`;

export const packingOptions = {
  packing: { kind: "text", argument: "PACKING", about: "the groups" },
} as const satisfies CommandOptions;

/** The option that names it; asked for before any file is read. */
export function packingOption(values: Values): string {
  const path = textOption(values, "packing");
  if (path === undefined) throw new UsageError("--packing is missing");
  return path;
}

/** Where the groups come from: a file or folder, or what `pack` makes of the samples. */
export type Groups = { readonly path: string } | { readonly options: PackOptions };

/** The packing that --packing names, or the options of the one to be made. */
export function groupsOption(values: Values): Groups {
  const path = textOption(values, "packing");
  if (path === undefined) return { options: packOptions(values, "balanced") };
  const other = Object.keys(ownPackOptions()).find((name) => values[name] !== undefined);
  if (other !== undefined) throw new UsageError(`--${other} is given, but --packing has its groups already`);
  return { path };
}

/** The samples, and their groups: read, or made now. */
export async function readOrPack(
  omnibal: Omnibal,
  files: readonly string[],
  groups: Groups,
  values: Values,
): Promise<{ lengths: ReadResult<string>; packing: Packing; packMs?: number }> {
  if ("path" in groups) return readPacked(omnibal, files, groups.path, values);
  const lengths = await readFiles(files, values, resolveLoads(groups.options).names);
  const start = performance.now();
  const packing = await packWithProgress(omnibal, lengths, groups.options, values.quiet === true);
  return { lengths, packing, packMs: performance.now() - start };
}

/** Reads a packing, which says what loads it is by, and then the samples. */
export async function readPacked(
  omnibal: Omnibal,
  files: readonly string[],
  path: string,
  values: Values,
): Promise<{ lengths: ReadResult<string>; packing: Packing }> {
  if (files.length === 0) throw new UsageError("no FILE is given (- is standard input)");
  const progress = new Progress("reading", values.quiet === true);
  let open: OpenPacking;
  try {
    open = await openPacking(path, {
      onWait: sayWaiting(values),
      onProgress: (bytes, total) => progress.update(bytes, total, `of ${megabytes(total)}`),
    });
  } finally {
    progress.end();
  }
  const lengths = await readFiles(files, values, open.loads ?? namedLoads(values));
  const packing = open.against(omnibal, lengths);
  const missing = missingSamples(packing, lengths);
  if (missing > 0 && values.quiet !== true) {
    const all = thousands(samplesOf(lengths));
    process.stderr.write(`omnibal: ${path}: leaves out ${thousands(missing)} of ${all} samples\n`);
  }
  return { lengths, packing };
}

function samplesOf({ files }: ReadResult<string>): number {
  return files.reduce((sum, { samples }) => sum + samples, 0);
}

/** Samples that neither a group nor the lists of oversize and invalid samples have. */
export function missingSamples({ indices, oversize, invalid }: Packing, lengths: ReadResult<string>): number {
  return samplesOf(lengths) - indices.length - oversize.length - invalid.length;
}

/** The packing in a line of at most 66 columns. */
export function packingLine(packing: Packing, lengths: ReadResult<string>): string {
  const missing = missingSamples(packing, lengths);
  const out = [
    packing.oversize.length > 0 ? `, ${thousands(packing.oversize.length)} oversize` : "",
    packing.invalid.length > 0 ? `, ${thousands(packing.invalid.length)} invalid` : "",
    missing > 0 ? `, ${thousands(missing)} in none` : "",
  ].join("");
  return `${thousands(packing.length)} groups of ${thousands(packing.indices.length)} samples${out}`;
}
