// A folder of plans, one for each epoch: OUT/epoch-0, OUT/epoch-1 and so on, each a folder of its own that is the old one or
// the new one, whenever the run ends. OUT itself holds nothing else.
import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Format } from "./format.ts";
import { type Output, openOutput } from "./output.ts";
import { ownKindOf, placeOf, refuse } from "./place.ts";

/** A folder of an epoch, and what a run that writes it leaves beside it for as long as it lives. */
const ENTRY = /^epoch-(0|[1-9]\d*)$/;
const PASSING = /^\.epoch-\d+\.omnibal/;

/** Where the plans of several epochs will be written. */
export interface EpochsOutput<T> {
  /** Throws when what is to be written is one of these files or folders. */
  refuseInputs(paths: readonly string[]): void;
  /** Writes that of one epoch, whole. */
  write(epoch: number, written: T): Promise<void>;
  /** Gives up what is not written. */
  close(): void;
}

/**
 * Finds or makes the folder `out`, and claims OUT/epoch-0 .. OUT/epoch-(epochs - 1) in it.
 *
 * @throws InputError INVALID_OUTPUT when `out` is no folder, holds anything else (an epoch beyond these too, which would
 *   be of another run), or an epoch in it cannot be written.
 */
export function openEpochs<T>(
  format: Format<T>,
  out: string,
  epochs: number,
  inputs: readonly string[] = [],
): EpochsOutput<T> {
  const { path, kind } = placeOf(out);
  if (kind === "file" || kind === "other") refuse(out, "is not a folder, epochs are written as one");
  const isNew = kind === "nothing";
  if (!isNew) {
    for (const name of readdirSync(path)) {
      if (PASSING.test(name)) continue;
      const epoch = ENTRY.exec(name)?.[1];
      if (epoch === undefined) refuse(out, `holds ${name}, which is not an epoch: name another folder`);
      if (Number(epoch) >= epochs) {
        refuse(out, `holds ${name}, beyond the ${epochs} epochs to write: remove it or name another folder`);
      }
    }
  } else mkdirSync(path);
  const outputs: Output<T>[] = [];
  const close = () => {
    for (const output of outputs) output.close();
    // If nothing was written, the folder that we made is empty. Anything else in it keeps it.
    if (isNew && ownKindOf(path) === "folder" && readdirSync(path).length === 0) rmdirSync(path);
  };
  const atExit = () => {
    try {
      close();
    } catch {
      // At exit there is nobody left to tell.
    }
  };
  process.on("exit", atExit);
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      outputs.push(openOutput(format, join(path, `epoch-${epoch}`), inputs));
    }
  } catch (error) {
    atExit();
    throw error;
  }
  return {
    refuseInputs: (paths) => {
      for (const output of outputs) output.refuseInputs(paths);
    },
    write: (epoch, written) => outputs[epoch].write(written),
    close: () => {
      process.off("exit", atExit);
      close();
    },
  };
}
