import { OptionError, show } from "./errors.ts";

/** A whole number in low .. high, or an error that names the option. */
export function integer(name: string, value: unknown, low: number, high: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
    throw new OptionError(
      "INVALID_OPTION",
      `${name} is ${show(value)}, expected a whole number from ${low} to ${high}`,
    );
  }
  return value;
}

/** The seed of what packs, plans and evaluates. */
export const DEFAULT_SEED = 1024;

export const MAX_INT32 = 2147483647;
export const MAX_UINT32 = 4294967295;

/** One of the names, or an error that lists them. */
export function oneOf<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  if (!names.includes(value as T)) {
    throw new OptionError("INVALID_OPTION", `${name} is ${show(value)}, expected ${names.join(", ")}`);
  }
  return value as T;
}
