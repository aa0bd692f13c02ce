// Numbers and texts as the page shows them.
import type { ByLoad } from "../view.ts";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export function whole(value: number): string {
  return WHOLE.format(value);
}

export function percent(ratio: number, digits = 2): string {
  return `${(ratio * 100).toFixed(digits)}\u00a0%`;
}

const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

/** 12.3K: for axes. */
export function short(value: number): string {
  return Math.abs(value) < 10000 ? WHOLE.format(value) : SHORT.format(value);
}

/** A time in the unit of the cost, to four digits. */
export function time(value: number): string {
  return value >= 1000 ? whole(value) : String(Number(value.toPrecision(4)));
}

export function byLoad(values: ByLoad): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}
