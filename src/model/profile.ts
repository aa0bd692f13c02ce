// A profile: how much time and memory each layer of a model takes, and the machine it runs on. Here are its checks, and
// what it amounts to for micro-batches of given loads.
import { InputError, show } from "../core/errors.ts";
import type { CoreLayer } from "./core.ts";

export const PROFILE_FORMAT = "omnibal-profile";
export const PROFILE_VERSION = 1;

/**
 * A time or a size of a micro-batch: a number, or a sum of three parts. All numbers are finite and >= 0. See
 * `quantityOf`.
 */
export type Quantity =
  | number
  | {
      /** What every micro-batch takes. Default: 0. */
      readonly fixed?: number;
      /** Per unit of a load, by its name. */
      readonly per?: Readonly<Record<string, number>>;
      /**
       * Per unit of a load's sum of squares over samples (not the square of its sum: attention stays inside a sample).
       */
      readonly perSquare?: Readonly<Record<string, number>>;
    };

/** One load of a micro-batch, such as `tokens`. */
export interface Load {
  /** Its sum over the samples. */
  readonly sum: number;
  /** The sum of its squares over the samples. Needed if the profile has a `perSquare` rate for it. */
  readonly squares?: number;
}

/** The loads of a micro-batch, by name. */
export type Loads = Readonly<Record<string, Load>>;

/**
 * The roles that trainers know. What comes before the first `decoder` is an encoder, its projector or the embedding.
 */
export const LAYER_TYPES = ["vit", "projector", "embedding", "decoder", "head"] as const;

/** One layer of a model: the unit that is cut between and recomputed as a whole. Times are for one micro-batch. */
export interface ProfileLayer {
  /** Its name in the model, such as `model.layers.3`: 1 to 400 characters, unique. */
  readonly name: string;
  /**
   * `vit`, `projector`, `embedding`, `decoder`, `head`, or any other word. The published prober takes layers of one
   * type as alike.
   */
  readonly type: string;
  /** Time of the forward pass: 0 .. 1e7 ms. */
  readonly forwardMs: Quantity;
  /** Time of the backward pass without recomputation, which takes another forward: 0 .. 1e7 ms. */
  readonly backwardMs: Quantity;
  /** Activation bytes that a micro-batch in flight holds if the layer keeps its activations: 0 .. 2^43. */
  readonly keptBytes: Quantity;
  /** The same if it recomputes them, usually its input: at most `keptBytes`. */
  readonly recomputedBytes: Quantity;
  /** Bytes of weights, gradients and optimizer state: 0 .. 2^43. */
  readonly parameterBytes: number;
  /** Bytes sent on if the next layer is on another stage: 0 .. 2^43. */
  readonly outputBytes: Quantity;
  /** Full names of the modules that move with the layer. Default: `name` alone. */
  readonly modules?: readonly string[];
}

/** What a model takes, layer by layer, and the machine it takes it on: the JSON file of docs/model.md. */
export interface Profile {
  /** `omnibal-profile`, so that another JSON file is not taken for a profile. */
  readonly format: typeof PROFILE_FORMAT;
  /** Version of the format. */
  readonly version: typeof PROFILE_VERSION;
  /** Name of the model, for people. */
  readonly name?: string;
  /** How the numbers came about, for people. */
  readonly about?: readonly string[];
  /** The loads of a micro-batch, by name. Needed for every load that a quantity names. */
  readonly loads?: Readonly<
    Record<
      string,
      {
        /** The average over micro-batches, for which times are planned: 0 .. `max`. */
        readonly mean: number;
        /** The largest of any micro-batch, for which memory is planned: `mean` .. 2^53. */
        readonly max: number;
        /**
         * The average sum of squares over a micro-batch's samples. Needed if a quantity has this load in `perSquare`.
         */
        readonly meanSquares?: number;
        /** The largest such sum. Needed together with `meanSquares`. */
        readonly maxSquares?: number;
      }
    >
  >;
  /** What every stage runs on. */
  readonly device: {
    /** For people. */
    readonly name?: string;
    /** Bytes for parameters and activations: 1 .. 2^43. */
    readonly memory: number;
  };
  /** Between neighbouring stages. A transfer takes `latencyMs` + bytes / `bytesPerSecond`. */
  readonly link: {
    /** Bytes per second, each way: 1 .. 1e15. */
    readonly bytesPerSecond: number;
    /** Fixed time per transfer, in milliseconds: 0 .. 1e7. */
    readonly latencyMs: number;
  };
  /** In the order of the forward pass: 1 .. 1024. */
  readonly layers: readonly ProfileLayer[];
}

const MOST_LAYERS = 1024;
/** Beyond these a profile is likely to be a mistake, and sums could no longer be exact. */
const MOST_MS = 1e7;
const MOST_BYTES = 2 ** 43;
const MOST_LOAD = 2 ** 53;

const QUANTITIES = ["forwardMs", "backwardMs", "keptBytes", "recomputedBytes", "outputBytes"] as const;

/** Checks what may not be a profile; errors say where it is not. */
class Checker {
  readonly #name: string;
  readonly #loads = new Map<string, { at: string; hasSquares: boolean }>();

  constructor(name: string) {
    this.#name = name;
  }

  fail(at: string, seen: unknown, expected: string): never {
    const what = seen === undefined ? "is missing" : `is ${typeof seen === "object" ? kindOf(seen) : show(seen)}`;
    throw new InputError("INVALID_INPUT", `${this.#name}: ${at} ${what}, expected ${expected}`);
  }

  /** A plain object with no other members than these. */
  object(at: string, value: unknown, members?: readonly string[]): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.fail(at, value, "an object");
    const object = value as Record<string, unknown>;
    const strange = members === undefined ? undefined : Object.keys(object).find((key) => !members.includes(key));
    if (strange !== undefined) {
      throw new InputError(
        "INVALID_INPUT",
        `${this.#name}: ${at} has ${show(strange)}, expected one of ${members?.join(", ")}`,
      );
    }
    return object;
  }

  number(at: string, value: unknown, high: number, low = 0): number {
    if (typeof value !== "number" || !(value >= low && value <= high)) {
      this.fail(at, value, `a number from ${low} to ${high}`);
    }
    return value as number;
  }

  text(at: string, value: unknown): string {
    if (typeof value !== "string" || value === "" || value.length > 400) {
      this.fail(at, value, "a text of 1 to 400 characters");
    }
    // These are shown on terminals and written to files that are run.
    if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value as string)) {
      this.fail(at, value, "a text without control characters");
    }
    return value as string;
  }

  texts(at: string, value: unknown): string[] {
    if (!Array.isArray(value)) this.fail(at, value, "a list of texts");
    return (value as unknown[]).map((item, i) => this.text(`${at}[${i}]`, item));
  }

  quantity(at: string, value: unknown, high: number): Quantity {
    if (typeof value !== "object" || value === null) return this.number(at, value, high);
    const { fixed, per, perSquare } = this.object(at, value, ["fixed", "per", "perSquare"]);
    const rates = (name: string, given: unknown) => {
      if (given === undefined) return {};
      const object = this.object(`${at}.${name}`, given);
      this.loadNames(`${at}.${name}`, object);
      for (const [load, rate] of Object.entries(object)) {
        this.number(`${at}.${name}[${show(load)}]`, rate, high);
        const known = this.#loads.get(load);
        if (known !== undefined && (known.hasSquares || name === "per")) continue;
        this.#loads.set(load, { at: `${at}.${name}`, hasSquares: name === "perSquare" });
      }
      return { [name]: object as Record<string, number> };
    };
    return {
      ...(fixed === undefined ? {} : { fixed: this.number(`${at}.fixed`, fixed, high) }),
      ...rates("per", per),
      ...rates("perSquare", perSquare),
    };
  }

  loadNames(at: string, object: Record<string, unknown>): void {
    const strange = Object.keys(object).find((load) => !/^[A-Za-z][\w-]{0,39}$/.test(load));
    if (strange === undefined) return;
    throw new InputError(
      "INVALID_INPUT",
      `${this.#name}: ${at} has ${show(strange)}, expected the name of a load: a letter, then letters, digits, _ or -`,
    );
  }

  loads(value: unknown): NonNullable<Profile["loads"]> {
    const object = value === undefined ? {} : this.object("loads", value);
    this.loadNames("loads", object);
    const out: Record<string, { mean: number; max: number; meanSquares?: number; maxSquares?: number }> = {};
    for (const [load, given] of Object.entries(object)) {
      const at = `loads[${show(load)}]`;
      const members = this.object(at, given, ["mean", "max", "meanSquares", "maxSquares"]);
      const mean = this.number(`${at}.mean`, members.mean, MOST_LOAD);
      const max = this.number(`${at}.max`, members.max, MOST_LOAD, mean);
      const squares = members.meanSquares !== undefined || members.maxSquares !== undefined;
      out[load] = { mean, max };
      if (!squares) continue;
      const meanSquares = this.number(`${at}.meanSquares`, members.meanSquares, MOST_LOAD);
      const maxSquares = this.number(`${at}.maxSquares`, members.maxSquares, MOST_LOAD, meanSquares);
      out[load] = { mean, max, meanSquares, maxSquares };
    }
    for (const [load, { at, hasSquares }] of this.#loads) {
      if (!Object.hasOwn(out, load)) this.fail(`loads[${show(load)}]`, undefined, `its mean and max: ${at} names it`);
      if (hasSquares && out[load].meanSquares === undefined) {
        this.fail(
          `loads[${show(load)}].meanSquares`,
          undefined,
          `the mean and max of its sum of squares: ${at} names it`,
        );
      }
    }
    return out;
  }
}

function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? `a list of ${value.length}` : "an object";
}

/**
 * Checks that a value, such as parsed JSON, is a profile, and returns it as one: unknown members, missing or negative
 * numbers, and numbers that would not add up exactly are refused. `name` is what errors call it. O(layers).
 *
 * @throws InputError INVALID_INPUT naming the place, what was seen and what was expected.
 */
export function checkProfile(value: unknown, name = "profile"): Profile {
  const check = new Checker(name);
  const top = check.object("the profile", value, [
    ...["format", "version", "name", "about", "loads", "device", "link", "layers"],
  ]);
  if (top.format !== PROFILE_FORMAT) check.fail("format", top.format, show(PROFILE_FORMAT));
  if (top.version !== PROFILE_VERSION) check.fail("version", top.version, String(PROFILE_VERSION));
  const device = check.object("device", top.device, ["name", "memory"]);
  const link = check.object("link", top.link, ["bytesPerSecond", "latencyMs"]);
  const memory = check.number("device.memory", device.memory, MOST_BYTES, 1);
  const bytesPerSecond = check.number("link.bytesPerSecond", link.bytesPerSecond, 1e15, 1);
  const latencyMs = check.number("link.latencyMs", link.latencyMs, MOST_MS);
  if (!Array.isArray(top.layers)) check.fail("layers", top.layers, "a list of layers");
  const given = top.layers as unknown[];
  if (given.length < 1 || given.length > MOST_LAYERS) {
    check.fail("layers", given, `1 to ${MOST_LAYERS} layers`);
  }
  const names = new Map<string, number>();
  const layers = given.map((item, i): ProfileLayer => {
    const at = `layers[${i}]`;
    const layer = check.object(at, item, ["name", "type", ...QUANTITIES, "parameterBytes", "modules"]);
    const own = check.text(`${at}.name`, layer.name);
    const other = names.get(own);
    if (other !== undefined) check.fail(`${at}.name`, own, `another name than that of layers[${other}]`);
    names.set(own, i);
    const [forwardMs, backwardMs, keptBytes, recomputedBytes, outputBytes] = QUANTITIES.map((key) =>
      check.quantity(`${at}.${key}`, layer[key], key.endsWith("Ms") ? MOST_MS : MOST_BYTES),
    );
    return {
      name: own,
      type: check.text(`${at}.type`, layer.type),
      ...{ forwardMs, backwardMs, keptBytes, recomputedBytes, outputBytes },
      parameterBytes: check.number(`${at}.parameterBytes`, layer.parameterBytes, MOST_BYTES),
      ...(layer.modules === undefined ? {} : { modules: check.texts(`${at}.modules`, layer.modules) }),
    };
  });
  const profile: Profile = {
    format: PROFILE_FORMAT,
    version: PROFILE_VERSION,
    ...(top.name === undefined ? {} : { name: check.text("name", top.name) }),
    ...(top.about === undefined ? {} : { about: check.texts("about", top.about) }),
    loads: check.loads(top.loads),
    device: { ...(device.name === undefined ? {} : { name: check.text("device.name", device.name) }), memory },
    link: { bytesPerSecond, latencyMs },
    layers,
  };
  // What only shows once the loads are put in.
  toCoreLayers(profile, profileLoads(profile), name);
  return profile;
}

/** The loads that a profile is planned for. */
export interface PlannedLoads {
  /** Of the mean micro-batch, for which times are planned. */
  readonly mean: Loads;
  /** Of the largest one, for which memory is planned. */
  readonly max: Loads;
}

/** The loads in a profile, in the form that planning takes. None if the profile has none. */
export function profileLoads(profile: Profile): PlannedLoads {
  const mean: Record<string, Load> = {};
  const max: Record<string, Load> = {};
  for (const [load, given] of Object.entries(profile.loads ?? {})) {
    mean[load] =
      given.meanSquares === undefined ? { sum: given.mean } : { sum: given.mean, squares: given.meanSquares };
    max[load] = given.maxSquares === undefined ? { sum: given.max } : { sum: given.max, squares: given.maxSquares };
  }
  return { mean, max };
}

function loadOf(loads: Loads, load: string, figure: "sum" | "squares"): number {
  const value = Object.hasOwn(loads, load) ? loads[load][figure] : undefined;
  if (value !== undefined) return value;
  const what = figure === "sum" ? "the sum" : "the sum of squares";
  throw new InputError("INVALID_INPUT", `loads have no ${show(load)}, expected ${what} that the profile names`);
}

/**
 * A quantity of a micro-batch with these loads: `fixed` + the sum over loads of `per[load]` * `sum` + `perSquare[load]`
 * * `squares`, in the quantity's unit.
 *
 * @throws InputError INVALID_INPUT if it names a load that is not given.
 */
export function quantityOf(quantity: Quantity, loads: Loads): number {
  if (typeof quantity === "number") return quantity;
  let sum = quantity.fixed ?? 0;
  for (const [load, rate] of Object.entries(quantity.per ?? {})) sum += rate * loadOf(loads, load, "sum");
  for (const [load, rate] of Object.entries(quantity.perSquare ?? {})) sum += rate * loadOf(loads, load, "squares");
  return sum;
}

/** Times are planned in whole nanoseconds and sizes in whole bytes, so that sums are exact. */
export const UNITS_PER_MS = 1e6;

function nanoseconds(ms: number): number {
  return Math.round(ms * UNITS_PER_MS);
}

/** Time to send an output on, in nanoseconds. */
export function transferTime({ link }: Profile, layer: ProfileLayer, loads: Loads): number {
  return nanoseconds(link.latencyMs + (quantityOf(layer.outputBytes, loads) / link.bytesPerSecond) * 1000);
}

/** The layers in whole numbers: times for the mean micro-batch, bytes for the largest. */
export function toCoreLayers(profile: Profile, { mean, max }: PlannedLoads, name = "profile"): CoreLayer[] {
  const layers = profile.layers.map((layer, i): CoreLayer => {
    const kept = Math.ceil(quantityOf(layer.keptBytes, max));
    const recomputed = Math.ceil(quantityOf(layer.recomputedBytes, max));
    const what = `${name}: layers[${i}]`;
    if (recomputed > kept) {
      throw new InputError(
        "INVALID_INPUT",
        `${what}.recomputedBytes is ${recomputed} for the largest micro-batch, expected at most keptBytes, ${kept}`,
      );
    }
    const core = {
      forward: nanoseconds(quantityOf(layer.forwardMs, mean)),
      backward: nanoseconds(quantityOf(layer.backwardMs, mean)),
      ...{ kept, recomputed },
      parameters: Math.ceil(layer.parameterBytes),
      transfer: transferTime(profile, layer, mean),
    };
    for (const [key, value] of Object.entries(core)) {
      // So that 1,024 layers times 4,096 micro-batches, or as many in flight, still add up exactly.
      if (value <= (key === "kept" || key === "recomputed" || key === "parameters" ? 2 ** 43 : 1e13)) continue;
      throw new InputError("INVALID_INPUT", `${what}: its ${key} for a micro-batch is too large, ${value}`);
    }
    return core;
  });
  const total = layers.reduce((sum, layer) => sum + 2 * layer.forward + layer.backward + 2 * layer.transfer, 0);
  const bytes = layers.reduce((sum, layer) => sum + layer.kept + layer.parameters, 0);
  if (total > 1e12 || bytes > 2 ** 45) {
    const what = total > 1e12 ? `${total / UNITS_PER_MS} ms` : `${bytes} bytes`;
    throw new InputError("INVALID_INPUT", `${name}: a micro-batch takes ${what} in all, expected less`);
  }
  return layers;
}

/**
 * Reads a profile from the text of a JSON file, and checks it as `checkProfile` does. `name` is what errors call it.
 *
 * @throws InputError INVALID_FILE if it is not JSON, INVALID_INPUT as `checkProfile`.
 */
export function parseProfile(text: string, name = "profile"): Profile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError("INVALID_FILE", `${name}: not JSON (${(error as Error).message})`, { cause: error });
  }
  return checkProfile(value, name);
}
