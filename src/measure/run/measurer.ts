// Measures batches of records: what a worker does, or the process itself.
import { isUtf8 } from "node:buffer";
import { InputError, OptionError } from "../../core/errors.ts";
import { printable, quoted } from "../../core/printable.ts";
import { BAD, COLUMNS, columnsOf } from "../columns.ts";
import { type Conversation, conversationOf, type Picture } from "../conversation.ts";
import type { Batch } from "../data/batch.ts";
import { parseExact } from "../data/exact-json.ts";
import { ParquetRows } from "../data/parquet.ts";
import { PictureFiles } from "../images/files.ts";
import { pictureSize, seen } from "../images/header.ts";
import type { Model, Pending, SizeOf } from "../model.ts";
import { type ModelSource, makeModel } from "../source.ts";
import { type Counter, TableCounter } from "../tokenizer/counter.ts";
import { libraryCounter } from "../tokenizer/library.ts";
import type { Tables } from "../tokenizer/tables.ts";

/** How texts are counted: by tables, which workers share, or by a library. */
export type CounterSource =
  | { readonly kind: "none" }
  | { readonly kind: "tables"; readonly tables: Tables }
  | { readonly kind: "library"; readonly json: Readonly<Record<string, unknown>>; readonly native: boolean };

/** What a set of records has of its own. */
export interface SetSource {
  readonly root: string;
  readonly base: string;
  readonly set: Readonly<Record<string, unknown>>;
}

/** All that a worker needs to begin; made of what can be sent to it. The family goes by its name. */
export interface MeasurerSource {
  readonly model: Omit<ModelSource, "family"> & { readonly family: string };
  readonly counter: CounterSource;
  readonly sets: readonly SetSource[];
}

/** Characters: room for the path of any picture but an absurd one. */
const LONGEST_REASON = 1000;

export interface Measured {
  /** COLUMNS of each record, one record after another. */
  readonly values: Float64Array<ArrayBuffer>;
  readonly problems: readonly (readonly [place: number, why: string])[];
}

export async function makeCounter(source: CounterSource): Promise<Counter | undefined> {
  if (source.kind === "none") return undefined;
  if (source.kind === "tables") return new TableCounter(source.tables);
  return libraryCounter(source.json, source.native);
}

/** Whether a number is anywhere in there, as templates print 1.0 otherwise than 1. */
function hasNumber(value: unknown, depth = 0): boolean {
  if (typeof value === "number") return true;
  if (typeof value !== "object" || value === null || depth > 100) return false;
  return Object.values(value).some((member) => hasNumber(member, depth + 1));
}

interface SetState {
  readonly model: Model;
  readonly files: PictureFiles | InputError;
}

export class Measurer {
  readonly #sets: readonly SetState[];
  readonly #counter: Counter | undefined;
  readonly #parquet = new Map<string, ParquetRows>();

  constructor(model: Model, counter: Counter | undefined, sets: readonly SetSource[]) {
    this.#counter = counter;
    const roots = new Map<string, PictureFiles | InputError>();
    this.#sets = sets.map(({ root, base, set }) => {
      const key = `${root}\0${base}`;
      let files = roots.get(key);
      if (files === undefined) {
        try {
          files = new PictureFiles(root, base);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          files = error;
        }
        roots.set(key, files);
      }
      return { model: Object.keys(set).length === 0 ? model : model.with(set), files };
    });
  }

  static async make({ model, counter, sets }: MeasurerSource, family: ModelSource["family"]): Promise<Measurer> {
    const made = await makeCounter(counter);
    return new Measurer(makeModel({ ...model, family }, made), made, sets);
  }

  /** The loads of a batch's records; a bad one has BAD in every column, and its reason among the problems. */
  async measure(batch: Batch, set: number): Promise<Measured> {
    const { model, files } = this.#sets[set];
    const sizeOf = this.#sizes(files, model);
    const problems: [number, string][] = [];
    const pending: (Pending | undefined)[] = [];
    let place = 0;
    for await (const read of this.#records(batch)) {
      try {
        pending.push(model.prepare(read(), sizeOf));
      } catch (error) {
        // What is wrong with one sample is no reason to stop; what is wrong with all of them is.
        if (error instanceof OptionError) throw error;
        problems.push([place, whyBad(error)]);
        pending.push(undefined);
      }
      place++;
    }
    const width = COLUMNS.length;
    const values = new Float64Array(pending.length * width).fill(BAD);
    const good = pending.map((one, i) => ({ one, i })).filter(({ one }) => one !== undefined) as {
      one: Pending;
      i: number;
    }[];
    await this.#count(good, (i, columns) => values.set(columns, i * width), problems, model);
    problems.sort(([a], [b]) => a - b);
    return { values, problems };
  }

  async #count(
    good: readonly { readonly one: Pending; readonly i: number }[],
    put: (i: number, columns: readonly number[]) => void,
    problems: [number, string][],
    model: Model,
  ): Promise<void> {
    const withText = good.filter(({ one }) => one.text !== "");
    for (const { one, i } of good) if (one.text === "") put(i, columnsOf(model.finish(one, { tokens: 0, within: 0 })));
    if (this.#counter === undefined) return;
    if (this.#counter instanceof TableCounter) {
      for (const { one, i } of withText) {
        try {
          put(i, columnsOf(model.finish(one, this.#counter.countWithin(one.text, one.ranges))));
        } catch (error) {
          problems.push([i, whyBad(error)]);
        }
      }
      return;
    }
    // Libraries take whatever there is for text; half of a surrogate pair is none.
    const whole = withText.filter(({ one, i }) => {
      const isWhole = !/\p{Surrogate}/u.test(one.text);
      if (!isWhole) problems.push([i, "the text has a lone surrogate, which is not a character"]);
      return isWhole;
    });
    const counts = await this.#counter.countAll(whole.map(({ one }) => one));
    for (const [k, { one, i }] of whole.entries()) put(i, columnsOf(model.finish(one, counts[k])));
  }

  #sizes(files: PictureFiles | InputError, model: Model): SizeOf {
    return (picture: Picture) => {
      if (picture.bytes !== undefined) return seen(pictureSize(picture.bytes.first, picture.bytes.read), model.exif);
      const path = picture.path ?? "";
      try {
        if (files instanceof InputError) throw files;
        return seen(files.size(path), model.exif);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        throw new InputError(error.code, `${quoted(path)}: ${error.message}`, { cause: error });
      }
    };
  }

  /** Functions that give the conversation of each record, so that each can fail by itself. */
  async *#records(batch: Batch): AsyncGenerator<() => Conversation> {
    if (batch.kind === "objects") {
      for (const record of batch.records) yield () => conversationOf(record);
      return;
    }
    if (batch.kind === "parquet") {
      let rows = this.#parquet.get(batch.path);
      if (rows === undefined) {
        rows = new ParquetRows(batch.path);
        this.#parquet.set(batch.path, rows);
      }
      for (const record of await rows.read(batch.from, batch.to)) yield () => conversationOf(record);
      return;
    }
    const { bytes, ends } = batch;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isText = isUtf8(buffer);
    let start = 0;
    for (const end of ends) {
      const from = start;
      start = end;
      yield () => {
        if (!isText && !isUtf8(buffer.subarray(from, end)))
          throw new InputError("INVALID_INPUT", "the record is not UTF-8");
        return readJson(buffer.toString("utf8", from, end));
      };
    }
  }
}

function readJson(text: string): Conversation {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (error) {
    // Python takes NaN and Infinity.
    if (!/NaN|Infinity/.test(text)) throw error;
    record = parseExact(text);
  }
  const conversation = conversationOf(record);
  if (hasNumber(conversation.tools) || conversation.turns.some(({ more }) => hasNumber(more))) {
    return conversationOf(parseExact(text));
  }
  return conversation;
}

/** A reason on one line, fit for a terminal and a report: of longer ones the beginning. */
function reason(text: string): string {
  return printable(text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON - 3)}...` : text);
}

/** The reason in words; a bug is none. */
function whyBad(error: unknown): string {
  if (error instanceof InputError) return reason(error.message);
  if (error instanceof SyntaxError) return reason(`the record is not JSON (${error.message})`);
  if (error instanceof RangeError) return "nested too deep";
  throw error;
}
