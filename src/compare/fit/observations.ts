// Rows of logs as numbers: what each rank had, and how long it took.
import { InputError, show } from "../../core/errors.ts";
import type { LogRecord } from "./log.ts";

/** Fields that are no loads. */
const RESERVED = ["ms", "step", "rank", "groups", "epoch", "iteration", "time"];

/** How logs are read. */
export interface ObservationOptions {
  readonly time: string;
  readonly loads: readonly string[] | undefined;
  readonly per: "group" | "step" | undefined;
}

/** A log as numbers, or several one after another. */
export interface Observations {
  /** Names of the loads, `loads` in number. */
  readonly names: readonly string[];
  /** Milliseconds of each row. */
  readonly ms: Float64Array;
  /** uint8: 1 where the row is a step, which takes as long as its slowest rank, 0 where it is a rank's groups alone. */
  readonly isStep: Uint8Array;
  /** int32[rows + 1]: the ranks of row i are offsets[i] .. offsets[i + 1] - 1; a row that is not a step has one. */
  readonly offsets: Int32Array;
  /** float64[ranks of all rows][loads]. */
  readonly loads: Float64Array;
  /** Groups of each of these ranks. */
  readonly groups: Float64Array;
  /** The first row of each log. */
  readonly starts: readonly number[];
}

function numberOf(value: unknown): number {
  return typeof value === "bigint" ? Number(value) : typeof value === "number" ? value : Number.NaN;
}

/** The values of a field, of each rank: one where it is a number. */
function valuesOf(value: unknown): number[] {
  if (Array.isArray(value)) return value.map(numberOf);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as ArrayLike<number | bigint>, numberOf);
  }
  return [numberOf(value)];
}

const isLoad = (value: number) => Number.isInteger(value) && value >= 0;

/** Fields that are whole numbers from 0 on in every row. */
function loadNames(logs: readonly (readonly LogRecord[])[], time: string): string[] {
  const [first] = logs[0];
  return Object.keys(first).filter(
    (name) =>
      name !== time &&
      !RESERVED.includes(name) &&
      logs.every((log) => log.every((record) => valuesOf(record[name]).every(isLoad))),
  );
}

interface Row {
  readonly at: number;
  ms: number;
  readonly isStep: boolean;
  readonly ranks: { readonly loads: readonly number[]; readonly groups: number }[];
}

function rowOf(record: LogRecord, at: number, names: readonly string[], { time, per }: ObservationOptions): Row {
  const refuse = (field: string, expected: string): never => {
    throw new InputError("INVALID_INPUT", `row ${at}: ${field} is ${show(record[field])}, expected ${expected}`);
  };
  const [ms] = valuesOf(record[time]);
  if (!(ms > 0 && ms < Number.POSITIVE_INFINITY)) refuse(time, "a time above 0, in ms");
  const columns = names.map((name) => {
    const values = valuesOf(record[name]);
    if (!values.every((value) => value >= 0 && value < Number.POSITIVE_INFINITY))
      refuse(name, "a load of each rank, from 0 on");
    return values;
  });
  const ranks = columns[0].length;
  for (const [k, { length }] of columns.entries()) {
    if (length !== ranks) refuse(names[k], `${ranks} of them, as ${names[0]} has`);
  }
  const counts = record.groups === undefined ? [1] : valuesOf(record.groups);
  if (!counts.every((count) => count > 0) || (counts.length !== 1 && counts.length !== ranks)) {
    refuse("groups", "a number of groups above 0, one or one of each rank");
  }
  const isStep = Array.isArray(record[names[0]]) || ranks > 1 || per === "step";
  if (isStep && per === "group") refuse(names[0], "one number, as the log is per group");
  return {
    ...{ at, ms, isStep },
    ranks: Array.from({ length: ranks }, (_, r) => ({
      loads: columns.map((values) => values[r]),
      groups: counts[counts.length === 1 ? 0 : r],
    })),
  };
}

/** Rows of the ranks of a step, one after another, as one row of all. */
function joined(log: readonly LogRecord[], rows: readonly Row[]): Row[] {
  const steps = new Map<string, Row>();
  for (const [k, row] of rows.entries()) {
    const { epoch, step } = log[k];
    const key = JSON.stringify([String(epoch), String(step)]);
    const own = steps.get(key);
    if (own === undefined) {
      steps.set(key, { ...row, isStep: true, ranks: [...row.ranks] });
      continue;
    }
    own.ms = Math.max(own.ms, row.ms);
    own.ranks.push(...row.ranks);
  }
  return [...steps.values()];
}

/**
 * Logs as numbers. A row whose loads are lists is a step; rows with the fields `rank` and `step` are ranks of one.
 *
 * @throws InputError for a field that is missing, or no number.
 */
export function observe(logs: readonly (readonly LogRecord[])[], options: ObservationOptions): Observations {
  const all = logs.filter((log) => log.length > 0);
  if (all.length === 0) throw new InputError("INVALID_INPUT", "the log has no rows");
  const { time } = options;
  if (!Object.hasOwn(all[0][0], time)) {
    throw new InputError(
      "MISSING_FIELD",
      `row 0: ${time} is missing, it has ${Object.keys(all[0][0]).map(show).join(", ")}`,
    );
  }
  const names = options.loads ?? loadNames(all, time);
  if (names.length === 0) {
    throw new InputError("MISSING_FIELD", "no field of the log is a load: a whole number from 0 on in every row");
  }
  const rows: Row[] = [];
  const starts: number[] = [];
  for (const log of all) {
    const missing = names.find((name) => !Object.hasOwn(log[0], name));
    if (missing !== undefined) throw new InputError("MISSING_FIELD", `row 0: ${missing} is missing`);
    const own = log.map((record, at) => rowOf(record, at, names, options));
    const isLong =
      options.per !== "group" && log.every((record) => record.rank !== undefined && record.step !== undefined);
    starts.push(rows.length);
    for (const row of isLong ? joined(log, own) : own) rows.push(row);
  }
  const offsets = new Int32Array(rows.length + 1);
  for (const [i, { ranks }] of rows.entries()) offsets[i + 1] = offsets[i] + ranks.length;
  const ranks = rows.flatMap((row) => row.ranks);
  return {
    names,
    ms: Float64Array.from(rows, ({ ms }) => ms),
    isStep: Uint8Array.from(rows, ({ isStep }) => Number(isStep)),
    offsets,
    loads: Float64Array.from(ranks.flatMap(({ loads }) => loads)),
    groups: Float64Array.from(ranks, ({ groups }) => groups),
    starts,
  };
}
