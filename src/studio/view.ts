// What is on the screen, as the part of the address after #: the same address over the same samples shows the same.

/** Numbers by the names of loads. */
export type ByLoad = Readonly<Record<string, number>>;

export const TABS = ["groups", "steps", "search", "group", "take"] as const;
export type Tab = (typeof TABS)[number];

/** What colours of the density stand for: how many samples, or which file they are from. */
export const COLOURS = ["count", "source"] as const;
export type Colour = (typeof COLOURS)[number];

/** What a plan evens out: the predicted time, or each load by itself. */
export const AIMS = ["loads", "time"] as const;
export type Aim = (typeof AIMS)[number];

/** Everything that the page shows, but for the samples. */
export interface View {
  /** Most of each bounded load in a group; none yet before the samples are known. */
  readonly max: ByLoad;
  /** ISF: a group is full once it reaches one of these, by load. What is not named is as the method has it. */
  readonly min: ByLoad;
  /** The packing method: `isf` or `balanced`. */
  readonly method: string;
  /** Of method `balanced`: 0 .. 3. */
  readonly effort: number;
  /** Of method `isf`: its most rounds. */
  readonly rounds: number;
  /** 0 .. 2^32 - 1. */
  readonly seed: number;
  /** Data-parallel ranks. */
  readonly ranks: number;
  /** Groups per rank and step. */
  readonly microBatch: number;
  /** What the plan evens out: each load by itself, or the predicted time. */
  readonly aim: Aim;
  /** What one of each load costs, by name; NAME^2 is that of its square. Empty: what is assumed. */
  readonly cost: ByLoad;
  /** The load along the horizontal axis; empty before the samples are known. */
  readonly x: string;
  /** The load along the vertical axis. */
  readonly y: string;
  /** What colours stand for: how many samples there are, or which file they are from. */
  readonly colour: Colour;
  /** The part of the page in view. */
  readonly tab: Tab;
  /** The first step that is shown. */
  readonly step: number;
  /** The group under the glass. */
  readonly group: number;
  /** Samples per group that the search aims for. */
  readonly perGroup: number;
}

export const START: View = {
  max: {},
  min: {},
  method: "isf",
  effort: 1,
  rounds: 50,
  seed: 1024,
  ranks: 8,
  microBatch: 1,
  aim: "loads",
  cost: {},
  x: "",
  y: "",
  colour: "count",
  tab: "groups",
  step: 0,
  group: 0,
  perGroup: 4,
};

interface Whole {
  readonly low: number;
  readonly high: number;
}

/** The ranges of the whole numbers, which are those of the options that they are given as. */
export const WHOLE = {
  effort: { low: 0, high: 3 },
  rounds: { low: 1, high: 2147483647 },
  seed: { low: 0, high: 4294967295 },
  ranks: { low: 1, high: 65536 },
  microBatch: { low: 1, high: 65536 },
  step: { low: 0, high: 2147483647 },
  group: { low: 0, high: 2147483647 },
  perGroup: { low: 1, high: 1000000 },
} as const satisfies Partial<Record<keyof View, Whole>>;

const NAMES = {
  method: ["isf", "balanced"],
  aim: AIMS,
  colour: COLOURS,
  tab: TABS,
} as const;

const MAX_LOAD = Number.MAX_SAFE_INTEGER;
const MAX_COST = 1e12;

/** Whether a text is a whole number in a range, written as digits. */
export function isWhole(text: string, { low, high }: Whole): boolean {
  return /^\d{1,16}$/.test(text) && Number(text) >= low && Number(text) <= high;
}

/** A view as the part of an address after #; what is as at the start is left out. */
export function toHash(view: View): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(view.max)) out.append(`max.${name}`, String(value));
  for (const [name, value] of Object.entries(view.min)) out.append(`min.${name}`, String(value));
  for (const [name, value] of Object.entries(view.cost)) out.append(`cost.${name}`, String(value));
  for (const [name, value] of Object.entries(view)) {
    if (typeof value === "object" || value === START[name as keyof View]) continue;
    out.append(name, String(value));
  }
  return out.toString();
}

/** The view that such a part of an address stands for, and what of it was not understood. */
export function fromHash(hash: string): { readonly view: View; readonly strange: readonly string[] } {
  const found: Record<string, unknown> = {};
  const max: Record<string, number> = {};
  const min: Record<string, number> = {};
  const cost: Record<string, number> = {};
  const strange: string[] = [];
  for (const [key, value] of new URLSearchParams(hash.replace(/^#/, ""))) {
    if (key.startsWith("max.") && isWhole(value, { low: 1, high: MAX_LOAD })) put(max, key.slice(4), Number(value));
    else if (key.startsWith("min.") && isWhole(value, { low: 0, high: MAX_LOAD }))
      put(min, key.slice(4), Number(value));
    else if (key.startsWith("cost.") && value !== "" && Number(value) >= 0 && Number(value) <= MAX_COST) {
      put(cost, key.slice(5), Number(value));
    } else if (Object.hasOwn(WHOLE, key) && isWhole(value, WHOLE[key as keyof typeof WHOLE])) {
      found[key] = Number(value);
    } else if (Object.hasOwn(NAMES, key) && (NAMES[key as keyof typeof NAMES] as readonly string[]).includes(value)) {
      found[key] = value;
    } else if (key === "x" || key === "y") found[key] = value;
    else strange.push(key);
  }
  return { view: { ...START, ...found, max, min, cost }, strange };
}

/** Sets a member whatever its name: one called __proto__ is a load like any other. */
function put(to: Record<string, number>, name: string, value: number): void {
  Object.defineProperty(to, name, { value, enumerable: true, writable: true, configurable: true });
}
