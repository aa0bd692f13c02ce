// What loads are assumed to cost if nobody has measured it.
import type { Lengths, LoadColumn } from "../core/lengths.ts";

/** A load `vit` with at most this many different values counts tiles, one with more counts patches. */
const MOST_TILES = 64;
/** What a tile costs, in tokens: about what a vision encoder of 300 M parameters does beside a language model of 8 B. */
const TOKENS_A_TILE = 512;

/** Whether at most `most` different values are in a column. O(length) at worst, as a rule far less. */
function hasFewValues(column: LoadColumn, most: number): boolean {
  const seen = new Set<number>();
  for (let i = 0; i < column.length; i++) {
    if (seen.has(column[i])) continue;
    if (seen.size === most) return false;
    seen.add(column[i]);
  }
  return true;
}

/**
 * What is assumed if no cost is given: a tile costs as much as 512 tokens, a patch and a token 1, other loads nothing.
 */
export function usualCost(columns: Lengths): Readonly<Record<string, number>> {
  const cost: Record<string, number> = {};
  for (const name of ["vit", "patches", "tokens"]) {
    const column = columns[name];
    if (column === undefined) continue;
    cost[name] = name === "vit" && hasFewValues(column, MOST_TILES) ? TOKENS_A_TILE : 1;
  }
  if (Object.keys(cost).length > 0) return cost;
  return Object.fromEntries(Object.keys(columns).map((name) => [name, 1]));
}
