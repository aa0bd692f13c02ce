// What a file says that its packing or plan was made of, checked to be such a thing at all; whether it fits is for the
// fingerprints to say.
import type { Abi } from "../core/abi.ts";
import { InputError, show } from "../core/errors.ts";
import { type Lengths, MAX_LOAD, MOST_LOADS, sampleCount } from "../core/lengths.ts";
import { MAX_INT32, MAX_UINT32 } from "../core/options.ts";
import { loadFingerprints, type PackingMade } from "../pack/made.ts";
import type { Fingerprint } from "../pack/packing.ts";
import type { PlanMade } from "../plan/plan.ts";

type Members = Readonly<Record<string, unknown>>;

function refuse(path: string, why: string): never {
  throw new InputError("INVALID_FILE", `${path}: ${why}`);
}

function members(path: string, name: string, value: unknown): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  return refuse(path, `${name} is ${show(value)}, expected an object`);
}

function whole(path: string, name: string, value: unknown, low: number, high: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return value;
  return refuse(path, `${name} is ${show(value)}, expected a whole number from ${low} to ${high}`);
}

function fingerprint(path: string, name: string, value: unknown): Fingerprint {
  if (typeof value === "string" && /^[0-9a-f]{16}$/.test(value)) return value;
  return refuse(path, `${name} is ${show(value)}, expected a fingerprint: 16 hexadecimal digits`);
}

/** Every member of an object, by `check`; those that are not there are left out. */
function each<T>(path: string, name: string, value: unknown, check: (name: string, value: unknown) => T) {
  const found = Object.entries(members(path, name, value)).map(
    ([own, x]) => [own, check(`${name}.${own}`, x)] as const,
  );
  return Object.fromEntries(found) as Record<string, T>;
}

function checkVersion(path: string, version: unknown): void {
  if (version === 1) return;
  refuse(path, `made has version ${show(version)}, expected 1: a later omnibal may read it`);
}

/** `made` of a packing. Members that are not known are kept: they mean nothing to what is compared here. */
export function packingMadeIn(path: string, value: unknown): PackingMade {
  const made = members(path, "made", value);
  checkVersion(path, made.version);
  whole(path, "made.samples", made.samples, 0, Number.MAX_SAFE_INTEGER);
  fingerprint(path, "made.packing", made.packing);
  const hex = (name: string, x: unknown) => fingerprint(path, name, x);
  if (made.loads !== undefined) each(path, "made.loads", made.loads, hex);
  const names = new Set<string>();
  for (const [name, low] of [["bounds", 1] as const, ["min", 0] as const]) {
    if (made[name] === undefined) continue;
    const found = each(path, `made.${name}`, made[name], (own, x) => whole(path, own, x, low, MAX_LOAD));
    for (const load of Object.keys(found)) {
      if (name === "min" && made.bounds !== undefined && !names.has(load)) {
        refuse(path, `made.min has ${show(load)}, which has no bound`);
      }
      names.add(load);
    }
  }
  const { carry } = made;
  if (carry !== undefined && !(Array.isArray(carry) && carry.every((name) => typeof name === "string"))) {
    refuse(path, `made.carry is ${show(carry)}, expected a list of loads`);
  }
  for (const load of (carry as readonly string[] | undefined) ?? []) names.add(load);
  if (names.size > MOST_LOADS) refuse(path, `made has ${names.size} loads, expected at most ${MOST_LOADS}`);
  if (made.align !== undefined) whole(path, "made.align", made.align, 1, MAX_INT32);
  if (made.method !== undefined && typeof made.method !== "string") {
    refuse(path, `made.method is ${show(made.method)}, expected a name`);
  }
  for (const [name, high] of Object.entries({
    seed: MAX_UINT32,
    shards: MAX_INT32,
    rounds: MAX_INT32,
    effort: MAX_INT32,
  })) {
    if (made[name] !== undefined) whole(path, `made.${name}`, made[name], 0, high);
  }
  return made as unknown as PackingMade;
}

/** Throws unless a packing was made of these samples. */
export function checkSamples(abi: Abi, path: string, made: PackingMade, lengths: Lengths): void {
  const samples = sampleCount(lengths);
  if (made.samples !== samples)
    refuse(path, `made of ${made.samples} samples, there are ${samples} in the files given`);
  if (made.loads === undefined) return;
  const own: Record<string, Fingerprint> = { ...loadFingerprints(abi, lengths) };
  for (const [name, theirs] of Object.entries(made.loads)) {
    if (own[name] === undefined || own[name] === theirs) continue;
    refuse(
      path,
      `made of other samples, or of the files in another order: ${name} was ${theirs}, now it is ${own[name]}`,
    );
  }
}

/** `made` of a plan whose file has these sizes. */
export function planMadeIn(
  path: string,
  value: unknown,
  sizes: { readonly ranks: number; readonly microBatch: number; readonly spSize: number },
): PlanMade {
  const made = members(path, "made", value);
  checkVersion(path, made.version);
  const { groups } = made;
  if (!Array.isArray(groups)) return refuse(path, `made.groups is ${show(groups)}, expected a list`);
  for (const [p, size] of groups.entries()) whole(path, `made.groups[${p}]`, size, 0, MAX_INT32);
  if (made.loads === undefined) fingerprint(path, "made.packing", made.packing);
  else each(path, "made.loads", made.loads, (name, x) => fingerprint(path, name, x));
  for (const [name, size] of Object.entries(sizes)) {
    if (made[name] !== size) refuse(path, `made.${name} is ${show(made[name])}, its steps have ${size}`);
  }
  return made as unknown as PlanMade;
}
