// Options that say something of loads by their names: --max patches=40000,tokens=16384 and --carry labels.
import { loadName, MAX_LOAD } from "../core/lengths.ts";
import { decimal, textOption, UsageError, type Values } from "./command.ts";

/** NAME=N,...: a whole number for each load. */
export function numbersByLoad(values: Values, option: string, low: number): Record<string, number> | undefined {
  const text = textOption(values, option);
  if (text === undefined) return undefined;
  const numbers: Record<string, number> = {};
  for (const part of text.split(",")) {
    // A name may have an equals sign, a number has none.
    const at = part.lastIndexOf("=");
    const name = loadName(part.slice(0, Math.max(at, 0)));
    const value = decimal(part.slice(at + 1));
    if (name === "" || Number.isNaN(value)) {
      throw new UsageError(`--${option} has ${JSON.stringify(part)}, expected NAME=N, with commas between several`);
    }
    if (!(Number.isInteger(value) && value >= low && value <= MAX_LOAD)) {
      throw new UsageError(`--${option} has ${part}, expected a whole number from ${low} to ${MAX_LOAD}`);
    }
    if (Object.hasOwn(numbers, name)) throw new UsageError(`--${option} names ${JSON.stringify(name)} twice`);
    numbers[name] = value;
  }
  return numbers;
}

/** NAME,...: names of loads. */
export function namesOfLoads(values: Values, option: string): string[] | undefined {
  const names = textOption(values, option)?.split(",").map(loadName);
  if (names?.includes("") === true) {
    throw new UsageError(`--${option} is ${JSON.stringify(values[option])}, expected names with commas between`);
  }
  return names;
}
