// The order of a plan from its file or folder, as `omnibal plan` writes it. Whether its groups are there is for the core
// to say, which knows how many there are.
import { stat } from "node:fs/promises";
import type { HasCore } from "../core/core.ts";
import { InputError, show } from "../core/errors.ts";
import { MAX_INT32 } from "../core/options.ts";
import type { PlanOrder } from "../plan/evaluate.ts";
import { type GroupLoadsInput, toParts } from "../plan/group-loads.ts";
import { GroupsIdentity } from "../plan/made.ts";
import type { PlanMade } from "../plan/plan.ts";

import { Column, type Watch } from "./columns.ts";
import { type FileOf, readWhole } from "./folder.ts";
import { JsonText } from "./json-text.ts";
import { planMadeIn } from "./made.ts";
import { readNpy } from "./npy.ts";
import { fileError, openFile } from "./source.ts";

/** A plan that was read. */
export interface ReadPlan extends PlanOrder {
  /** What it was made of; undefined for a plan of another tool. */
  readonly made: PlanMade | undefined;
}

const silent: Watch = { read: () => {}, signal: undefined };

function refuse(path: string, why: string): never {
  throw new InputError("INVALID_FILE", `${path}: ${why}`);
}

export interface ReadPlanOptions {
  /** The groups that the plan is to be used with: one that was made of others is refused. */
  readonly fits?: { readonly omnibal: HasCore; readonly packing: GroupLoadsInput };
  /** See `ReadOptions.onWait`. */
  readonly onWait?: (path: string) => void;
}

/** A whole number from 1 on, or an error. */
function count(path: string, name: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_INT32) return value;
  return refuse(path, `${name} is ${show(value)}, expected a whole number from 1 to ${MAX_INT32}`);
}

interface Found {
  /** Groups of each rank at each step, one after another. */
  readonly groups: Int32Array;
  /** int32[batches + 1]: batch i is groups[ends[i]] .. groups[ends[i + 1] - 1]. */
  readonly ends: Int32Array;
  /** Ranks of each step. */
  readonly widths: Int32Array;
  readonly ranks: unknown;
  readonly stats: unknown;
  readonly made: unknown;
}

async function readJson(path: string, options: ReadPlanOptions): Promise<Found> {
  const source = await openFile(path, options);
  try {
    const text = new JsonText(source, silent);
    const groups = new Column();
    const ends = new Column();
    const widths = new Column();
    let ranks: unknown;
    let stats: unknown;
    let made: unknown;
    let hasSteps = false;
    ends.push(0);
    const batch = (): Promise<void> | undefined => {
      text.peek();
      if (text.list(groups) === undefined) return text.lists(groups).then(() => ends.push(groups.length));
      ends.push(groups.length);
      return undefined;
    };
    await text.object(async (name) => {
      if (name === "steps") {
        hasSteps = true;
        return text.items(async () => {
          const before = ends.length;
          await text.items(batch);
          widths.push(ends.length - before);
        });
      }
      if (name === "ranks") ranks = await text.value();
      else if (name === "stats") stats = await text.value();
      else if (name === "made") made = await text.value();
      else await text.skip();
    });
    await text.finish();
    if (hasSteps) return { groups: groups.take(), ends: ends.take(), widths: widths.take(), ranks, stats, made };
    return refuse(path, 'no "steps" in it, expected a plan');
  } finally {
    await source.close();
  }
}

/** The sizes among a plan's figures; 1 where a plan from elsewhere does not tell. */
function sizes(path: string, stats: unknown): { spSize: number; microBatch: number | undefined } {
  const { spSize = 1, microBatch } = (typeof stats === "object" && stats !== null ? stats : {}) as Record<
    string,
    unknown
  >;
  return {
    spSize: count(path, "spSize", spSize),
    microBatch: microBatch === undefined ? undefined : count(path, "microBatch", microBatch),
  };
}

/** What the file says that the plan was made of. */
function madeIn(path: string, made: unknown, sizes: Omit<PlanOrder, "order" | "made">): PlanMade | undefined {
  return made === undefined ? undefined : planMadeIn(path, made, sizes);
}

function fromJson(path: string, { groups, ends, widths, ranks: given, stats, made }: Found): ReadPlan {
  const ranks = count(path, "ranks", given);
  const odd = widths.findIndex((width) => width !== ranks);
  if (odd !== -1) refuse(path, `step ${odd} has ${widths[odd]} ranks, expected ${ranks}`);
  let most = 1;
  for (let i = 1; i < ends.length; i++) most = Math.max(most, ends[i] - ends[i - 1]);
  const { spSize, microBatch = Math.ceil(most / spSize) } = sizes(path, stats);
  const size = microBatch * spSize;
  if (most > size) refuse(path, `a rank has ${most} groups, expected at most ${size}`);
  const places = (ends.length - 1) * size;
  if (places > MAX_INT32) refuse(path, `${places} places, expected at most ${MAX_INT32}`);
  const order = new Int32Array(places).fill(-1);
  for (let i = 0; i < ends.length - 1; i++) order.set(groups.subarray(ends[i], ends[i + 1]), i * size);
  const shape = { ranks, microBatch, spSize };
  return { ...shape, order, made: madeIn(path, made, shape) };
}

async function readFolder(path: string, fileOf: FileOf): Promise<ReadPlan> {
  const file = fileOf("plan.json");
  const source = await openFile(file);
  let head: unknown;
  try {
    head = await new JsonText(source, silent).whole();
  } finally {
    await source.close();
  }
  const { stats, made } = (head ?? {}) as Record<string, unknown>;
  const { shape, values } = await readNpy(fileOf("plan.npy"), 3, silent);
  const [, ranks, size] = shape;
  const { spSize, microBatch = size / spSize } = sizes(file, stats);
  if (microBatch * spSize !== size) {
    refuse(fileOf("plan.npy"), `${size} groups of a rank, plan.json tells ${microBatch} x ${spSize}`);
  }
  const own = { ranks: count(path, "ranks", ranks), microBatch, spSize };
  return { ...own, order: values, made: madeIn(file, made, own) };
}

/**
 * Reads the steps of a plan: the JSON or the .npy folder that `omnibal plan` writes.
 *
 * @throws InputError INVALID_FILE with the path and the place, or what differs from the groups that it must fit.
 */
export async function readPlan(path: string, options: ReadPlanOptions = {}): Promise<ReadPlan> {
  const kind = await stat(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
  const plan = kind.isDirectory()
    ? await readWhole(path, (fileOf) => readFolder(path, fileOf))
    : fromJson(path, await readJson(path, options));
  const { fits } = options;
  if (fits === undefined || plan.made === undefined) return plan;
  const other = new GroupsIdentity(fits.omnibal.core.abi, toParts(fits.packing)).differs(plan.made);
  if (other === undefined) return plan;
  return refuse(path, `made for another packing: ${other.name} ${other.made}, this packing has ${other.own}`);
}
