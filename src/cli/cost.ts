// The option --cost: what one of each load costs, typed out or in the file that `omnibal fit -o` writes.
import { readLog } from "../compare/fit/log.ts";
import { type CommandOption, decimal, textOption, UsageError, type Values } from "./command.ts";

export const COST_OPTION: CommandOption = {
  kind: "text",
  argument: "TIMES",
  about:
    "what one of each load costs, in ms: vit=6,tokens=.02,tokens^2=4e-6,group=9.4,step=30,\nor the file that fit -o writes",
  usual: "a tile costs as much as 512 tokens, a patch as much as one",
};

/** Most that a cost may be: sums over an epoch stay finite. */
const MOST_COST = 1e12;

/** NAME=NUMBER,... as numbers by name. */
export function namedNumbers(option: string, text: string, most: number, names: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const part of text.split(",")) {
    const at = part.lastIndexOf("=");
    const name = part.slice(0, at);
    const value = decimal(part.slice(at + 1));
    if (at < 1 || !(value <= most)) {
      throw new UsageError(`--${option} has ${JSON.stringify(part)}, expected NAME=NUMBER with ${names}`);
    }
    if (Object.hasOwn(found, name)) throw new UsageError(`--${option} has ${name} twice`);
    found[name] = value;
  }
  return found;
}

async function costFile(path: string): Promise<Record<string, number>> {
  const [cost, ...more] = await readLog(path);
  if (cost !== undefined && more.length === 0) return cost as Record<string, number>;
  throw new UsageError(`--cost names ${JSON.stringify(path)}, expected a JSON object of numbers by the names of loads`);
}

/** The cost that is given. */
export async function costOption(values: Values): Promise<Record<string, number> | undefined> {
  const text = textOption(values, "cost");
  if (text === undefined) return undefined;
  if (text !== "" && !text.includes("=")) return costFile(text);
  return namedNumbers("cost", text, MOST_COST, "a load, group or step");
}
