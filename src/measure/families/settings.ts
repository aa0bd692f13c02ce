// The parameters of a rule, looked up in the files of a checkpoint. Their names have changed over the years, so each is
// asked for by all the names it has had; what is found is kept, to be printed.
import { InputError, show } from "../../core/errors.ts";

/** Which kind of file settings are from: the same name means different things in different files. */
export type Role = "given" | "image" | "video" | "processor" | "config" | "tokenizer";

/** Named values of one origin. */
export interface Layer {
  readonly role: Role;
  /** What messages call the origin: a file, or "--set". */
  readonly origin: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The value of a parameter, as JSON has it. */
export type Value = string | number | boolean | null | readonly Value[];

function member(values: unknown, path: string): unknown {
  let value: unknown = values;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

export class Settings {
  readonly #layers: readonly Layer[];
  /** Every parameter that was asked for, by its first name, with its value. */
  readonly resolved: Record<string, Value> = {};
  /** Names by which a given value would have been found. */
  readonly #known: Set<string>;

  constructor(layers: readonly Layer[], known = new Set<string>()) {
    this.#layers = layers;
    this.#known = known;
  }

  /** The same layers, with a list of parameters of its own. */
  fresh(): Settings {
    return new Settings(this.#layers, this.#known);
  }

  /** Names of given values that nobody has asked for, here or in what is fresh of this. */
  unknown(): string[] {
    return this.#layers.flatMap(({ role, values }) =>
      role === "given" ? Object.keys(values).filter((name) => !this.#known.has(name)) : [],
    );
  }

  /**
   * The first value there is. `places` are "role:path" in order of precedence. Given values come before all others;
   * they go by the path of a place, the name itself, or the last part of a path.
   */
  #find(name: string, places: readonly string[]): { value: unknown; at: string } | undefined {
    const look = (role: Role, path: string) => {
      for (const layer of this.#layers) {
        if (layer.role !== role) continue;
        const value = member(layer.values, path);
        // Checkpoints write null for "what the class has".
        if (value !== undefined && value !== null) return { value, at: `${layer.origin}: ${path}` };
      }
      return undefined;
    };
    const paths = places.map((place) => place.slice(place.indexOf(":") + 1));
    const names = [...paths, name, ...paths.map((path) => path.slice(path.lastIndexOf(".") + 1))];
    for (const path of names) this.#known.add(path);
    for (const path of names) {
      const found = look("given", path);
      if (found !== undefined) return found;
    }
    for (const place of places) {
      const colon = place.indexOf(":");
      const found = look(place.slice(0, colon) as Role, place.slice(colon + 1));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Whether the value at a place is this one. It does not count as a parameter. */
  is(place: string, value: Value): boolean {
    return this.#find(place, [place])?.value === value;
  }

  #get<T extends Value>(
    name: string,
    places: readonly string[],
    fallback: T,
    expected: string,
    read: (value: unknown) => T | undefined,
  ): T {
    const found = this.#find(name, places);
    let value: T | undefined = fallback;
    if (found !== undefined) {
      value = read(found.value);
      if (value === undefined) {
        throw new InputError("INVALID_FILE", `${found.at} is ${show(found.value)}, expected ${expected}`);
      }
    }
    this.resolved[name] = value;
    return value;
  }

  /** A whole number from `least` to 2^40: a side, an area, a count. */
  whole(name: string, places: readonly string[], fallback: number, least = 1): number {
    return this.#get(name, places, fallback, `a whole number from ${least} on`, (value) => {
      // { height, width } of a square, [height, width] of a square, and the number itself all occur.
      const sides = Array.isArray(value)
        ? value
        : typeof value === "object" && value !== null
          ? [member(value, "height"), member(value, "width")].filter((side) => side !== undefined)
          : [value];
      const [side] = sides;
      if (typeof side !== "number" || sides.some((other) => other !== side)) return undefined;
      return Number.isInteger(side) && side >= least && side <= 2 ** 40 ? side : undefined;
    });
  }

  /** Such a number, or null where there is none. */
  maybeWhole(name: string, places: readonly string[], fallback: number | null, least = 1): number | null {
    if (this.#find(name, places) !== undefined) return this.whole(name, places, least, least);
    this.resolved[name] = fallback;
    return fallback;
  }

  /** A number above 0. */
  decimal(name: string, places: readonly string[], fallback: number): number {
    return this.#get(name, places, fallback, "a number above 0", (value) =>
      typeof value === "number" && value > 0 && Number.isFinite(value) ? value : undefined,
    );
  }

  maybeDecimal(name: string, places: readonly string[], fallback: number | null): number | null {
    if (this.#find(name, places) !== undefined) return this.decimal(name, places, 1);
    this.resolved[name] = fallback;
    return fallback;
  }

  flag(name: string, places: readonly string[], fallback: boolean): boolean {
    return this.#get(name, places, fallback, "true or false", (value) =>
      typeof value === "boolean" ? value : undefined,
    );
  }

  text(name: string, places: readonly string[], fallback: string): string {
    return this.#get(name, places, fallback, "a string", (value) => {
      // tokenizer_config.json has some tokens as { content }.
      const text = typeof value === "object" ? member(value, "content") : value;
      return typeof text === "string" ? text : undefined;
    });
  }

  /** Pairs of whole numbers above 0, such as the resolutions to choose from. */
  pairs(name: string, places: readonly string[], fallback: readonly Pair[]): readonly Pair[] {
    return this.#get<readonly Pair[]>(name, places, fallback, "a list of pairs of whole numbers above 0", (value) =>
      Array.isArray(value) && value.length > 0 && value.every((pair) => isPair(pair, 1)) ? value : undefined,
    );
  }

  /** Two whole numbers from `least` on. */
  pair(name: string, places: readonly string[], fallback: Pair, least = 1): Pair {
    return this.#get<Pair>(name, places, fallback, `two whole numbers from ${least} on`, (value) =>
      isPair(value, least) ? value : undefined,
    );
  }
}

export type Pair = readonly [number, number];

function isPair(value: unknown, least: number): value is Pair {
  return Array.isArray(value) && value.length === 2 && value.every((side) => Number.isInteger(side) && side >= least);
}
