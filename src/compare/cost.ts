// What a sample costs in time, by the names of its loads.
import { OptionError, show } from "../core/errors.ts";
import { type Lengths, type LoadColumn, loadName, squareOf } from "../core/lengths.ts";

/** One load of all samples, a value per sample. */
export type Column = LoadColumn;
/** Every load of all samples, by its name. */
export type Columns = Lengths;

/**
 * What one of each load costs, 0 .. 1e12, by the load's name; NAME^2 is the square of each sample's value. `group` is
 * what a group costs by itself and `step` what a step does, beside its loads.
 */
export type Cost = Readonly<Record<string, number>>;

/** Names in a cost that are no loads. */
export const CONSTANTS = ["group", "step"] as const;

/** What costs time between two points at which the ranks wait for each other: a load, and its square. */
export interface Phase {
  /** The load's name. */
  readonly load: string;
  /** What one of it costs. */
  readonly each: number;
  /** What one of its square costs. */
  readonly square: number;
}

/** A cost, checked against the loads that there are. */
export interface Priced {
  readonly phases: readonly Phase[];
  /** What a group costs by itself. */
  readonly group: number;
  /** What a step costs by itself. */
  readonly step: number;
}

/**
 * Sorts a cost by phases. @throws OptionError for a name that is not a load, a value outside 0 .. 1e12, or 0
 * throughout.
 */
export function priced(cost: Cost, columns: Columns): Priced {
  if (typeof cost !== "object" || cost === null) {
    throw new OptionError("INVALID_OPTION", `cost is ${show(cost)}, expected numbers by the names of loads`);
  }
  const phases = new Map<string, { load: string; each: number; square: number }>();
  const constants = { group: 0, step: 0 };
  for (const [name, value] of Object.entries(cost)) {
    if (!(typeof value === "number" && value >= 0 && value <= 1e12)) {
      throw new OptionError("INVALID_OPTION", `cost.${name} is ${show(value)}, expected a number from 0 to 1e12`);
    }
    if (name === "group" || name === "step") {
      constants[name] = value;
      continue;
    }
    // A column may bear the name of a square itself, such as one of each image's patches^2.
    const squared = squareOf(loadName(name));
    const load = squared !== undefined && Object.hasOwn(columns, squared) ? squared : loadName(name);
    if (!Object.hasOwn(columns, load)) {
      const known = [...Object.keys(columns), ...CONSTANTS].join(", ");
      throw new OptionError("INVALID_OPTION", `cost names ${show(name)}, the samples have ${known}`);
    }
    const phase = phases.get(load) ?? { load, each: 0, square: 0 };
    if (load === squared) phase.square += value;
    else phase.each += value;
    phases.set(load, phase);
  }
  const list = Array.from(phases.values()).filter(({ each, square }) => each > 0 || square > 0);
  if (list.length === 0) {
    throw new OptionError(
      "INVALID_OPTION",
      `cost is 0 for every load, expected one of ${Object.keys(columns).join(", ")} above 0`,
    );
  }
  return { phases: list, ...constants };
}
