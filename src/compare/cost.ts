// What a sample costs in time, by the names of its loads.
import { OptionError, show } from "../core/errors.ts";

/** A load of all samples, a value each. */
export type Column = Int32Array | Float64Array;
export type Columns = Readonly<Record<string, Column>>;

/**
 * What one of each load costs, 0 .. 1e12, by the load's name; NAME^2 is the square of each sample's value. `group` is
 * what a group costs by itself and `step` what a step does, beside its loads.
 */
export type Cost = Readonly<Record<string, number>>;

/** Names in a cost that are no loads. */
export const CONSTANTS = ["group", "step"] as const;

/** A load of at most so many different values counts tiles, one of more counts patches. */
const MOST_TILES = 64;
/** What a tile costs where nothing is known: the tokens that a vision encoder of 300 M parameters spends on 1024 patches. */
const TOKENS_A_TILE = 512;

/** Whether at most `most` different values are in a column. O(length) at worst, as a rule far less. */
function hasFewValues(column: Column, most: number): boolean {
  const seen = new Set<number>();
  for (let i = 0; i < column.length; i++) {
    if (seen.has(column[i])) continue;
    if (seen.size === most) return false;
    seen.add(column[i]);
  }
  return true;
}

/** What is assumed where no cost is given: a tile costs as much as 512 tokens, a patch and a token 1, other loads nothing. */
export function usualCost(columns: Columns): Cost {
  const cost: Record<string, number> = {};
  for (const name of ["vit", "patches", "tokens"]) {
    const column = columns[name];
    if (column === undefined) continue;
    cost[name] = name === "vit" && hasFewValues(column, MOST_TILES) ? TOKENS_A_TILE : 1;
  }
  if (Object.keys(cost).length > 0) return cost;
  return Object.fromEntries(Object.keys(columns).map((name) => [name, 1]));
}

/** The load that a name in a cost is of, and whether it is squared. */
export function loadOf(name: string): { readonly load: string; readonly squared: boolean } {
  if (name === "attention") return { load: "tokens", squared: true };
  const squared = name.endsWith("^2");
  return { load: squared ? name.slice(0, -2) : name, squared };
}

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

/** Sorts a cost by phases. @throws OptionError for a name that is no load, a value out of 0 .. 1e12, or 0 throughout. */
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
    // A column may bear the name of a square itself.
    const { load, squared } = Object.hasOwn(columns, name) ? { load: name, squared: false } : loadOf(name);
    if (!Object.hasOwn(columns, load)) {
      const known = [...Object.keys(columns), ...CONSTANTS].join(", ");
      throw new OptionError("INVALID_OPTION", `cost names ${show(name)}, the samples have ${known}`);
    }
    const phase = phases.get(load) ?? { load, each: 0, square: 0 };
    if (squared) phase.square += value;
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
