// Values as Jinja templates know them: Python's. null is None, true and false are themselves, a number is an int, an
// array a list, a Map a dict.
import { isPrintable } from "./printable.ts";
import { concat, isText, type Questions, Rope, type Text } from "./rope.ts";

/** The template raises an error, as it does in Python. */
export class TemplateError extends Error {
  /** Python's name for the error, such as `UndefinedError`. */
  readonly kind: string;

  /** An error of this kind. */
  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

export function raise(kind: string, message: string): never {
  throw new TemplateError(kind, message);
}

/** The template uses something that is unknown here, or known to be rendered differently in Python. */
export class UnsupportedTemplate extends Error {}

export function unsupported(what: string): never {
  throw new UnsupportedTemplate(what);
}

export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export class Tuple {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

/** A name or member that is not there: it prints as nothing, and raises when more is asked of it. */
export class Undefined {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }

  fail(): never {
    return raise("UndefinedError", this.message);
  }
}

/** An object with attributes: namespace(), the loop, joiner(). */
export class Attributes {
  readonly name: string;
  readonly members: Map<string, Value>;
  /** Whether `set` may change a member. */
  readonly isNamespace: boolean;

  constructor(name: string, members: Map<string, Value>, isNamespace = false) {
    this.name = name;
    this.members = members;
    this.isNamespace = isNamespace;
  }
}

export type Keywords = ReadonlyMap<string, Value>;

export class Callable {
  readonly name: string;
  readonly call: (args: readonly Value[], keywords: Keywords) => Value;

  constructor(name: string, call: (args: readonly Value[], keywords: Keywords) => Value) {
    this.name = name;
    this.call = call;
  }
}

/** A string that was marked as safe, or escaped. Printing it is all that is known to be right. */
export class Markup {
  readonly text: Text;

  constructor(text: Text) {
    this.text = text;
  }
}

export type Dict = Map<Value, Value>;
export type Value =
  | null
  | boolean
  | number
  | Float
  | Text
  | readonly Value[]
  | Tuple
  | Dict
  | Undefined
  | Attributes
  | Callable
  | Markup;

/** Python's name of the type of a value. */
export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  if (isText(value)) return "str";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "int";
  if (value instanceof Float) return "float";
  if (Array.isArray(value)) return "list";
  if (value instanceof Tuple) return "tuple";
  if (value instanceof Map) return "dict";
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Markup) return "Markup";
  if (value instanceof Attributes) return value.name;
  return "function";
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** JSON data as values; `strings` gets every string that is not to be taken as it is, in order, as a rope. */
export function fromJson(data: unknown, toText: (text: string, key: string) => Text, key = ""): Value {
  if (data === null || data === undefined || typeof data === "boolean" || data instanceof Float) return data ?? null;
  if (typeof data === "number") return Number.isInteger(data) ? wholeNumber(data) : new Float(data);
  if (typeof data === "string") return toText(data, key);
  if (Array.isArray(data)) return data.map((item) => fromJson(item, toText, key));
  const dict: Dict = new Map();
  for (const [name, member] of Object.entries(data as object)) dict.set(name, fromJson(member, toText, name));
  return dict;
}

export function wholeNumber(value: number): number {
  return Number.isSafeInteger(value) ? value : unsupported("a whole number beyond 2^53");
}

export function truthy(value: Value, questions: Questions): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  if (value instanceof Float) return value.value !== 0;
  if (isText(value)) return questions.ask([value], (text) => text !== "");
  if (value instanceof Markup) return questions.ask([value.text], (text) => text !== "");
  if (isList(value)) return value.length > 0;
  if (value instanceof Tuple) return value.items.length > 0;
  return value instanceof Map ? value.size > 0 : true;
}

/** The number of an int, a float or a bool. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  return value instanceof Float ? value.value : undefined;
}

export function equal(a: Value, b: Value, questions: Questions): boolean {
  if (isText(a) && isText(b)) return questions.ask([a, b], (x, y) => x === y);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined || y !== undefined) return x === y;
  if (a instanceof Undefined || b instanceof Undefined) return a instanceof Undefined && b instanceof Undefined;
  const [p, q] = isList(a) && isList(b) ? [a, b] : a instanceof Tuple && b instanceof Tuple ? [a.items, b.items] : [];
  if (p !== undefined && q !== undefined) {
    return p.length === q.length && p.every((item, i) => equal(item, q[i], questions));
  }
  if (a instanceof Map && b instanceof Map) {
    if (a.size !== b.size) return false;
    for (const [key, value] of a) {
      if (!b.has(key) || !equal(value, b.get(key) as Value, questions)) return false;
    }
    return true;
  }
  if (a instanceof Markup || b instanceof Markup) return unsupported("a comparison of marked-up text");
  return a === b;
}

/** `repr(x)` of a float. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const [digits, power] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** `repr(s)` of a string. */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const c of text) {
    const code = c.codePointAt(0) ?? 0;
    if (c === quote || c === "\\") out += `\\${c}`;
    else if (c === "\n") out += "\\n";
    else if (c === "\r") out += "\\r";
    else if (c === "\t") out += "\\t";
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code < 0x7f || isPrintable(c)) out += c;
    else if (code < 0x100) out += `\\x${code.toString(16)}`;
    else
      out += code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
  }
  return out + quote;
}

/** `str(x)`, which is what printing does. */
export function str(value: Value): Text {
  if (isText(value)) return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return "";
  return repr(value);
}

export function repr(value: Value): Text {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (value instanceof Float) return floatText(value.value);
  if (typeof value === "string") return quoted(value);
  if (value instanceof Rope)
    return new Rope(quoted(value.value), { kind: "changed", of: value.recipe, change: quoted });
  if (value instanceof Undefined) return "Undefined";
  if (isList(value)) return listed("[", value, "]");
  if (value instanceof Tuple) return listed("(", value.items, value.items.length === 1 ? ",)" : ")");
  if (value instanceof Map) {
    const parts: Text[] = ["{"];
    for (const [key, member] of value) parts.push(parts.length > 1 ? ", " : "", repr(key), ": ", repr(member));
    return concat([...parts, "}"]);
  }
  return unsupported(`printing a ${typeName(value)}`);
}

function listed(open: string, items: readonly Value[], close: string): Text {
  return concat([open, ...items.flatMap((item, i) => [i > 0 ? ", " : "", repr(item)]), close]);
}

export interface JsonOptions {
  readonly ascii: boolean;
  readonly indent: string | undefined;
  readonly separators: readonly [string, string];
  readonly sorted: boolean;
}

/** `json.dumps`. */
export function toJson(value: Value, options: JsonOptions, level = 0): Text {
  const string = (text: string) => {
    const json = JSON.stringify(text);
    if (!options.ascii) return json;
    return json.replaceAll(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  };
  if (typeof value === "string") return string(value);
  if (value instanceof Rope)
    return new Rope(string(value.value), { kind: "changed", of: value.recipe, change: string });
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  if (value instanceof Float) {
    const text = floatText(value.value);
    return { nan: "NaN", inf: "Infinity", "-inf": "-Infinity" }[text] ?? text;
  }
  const { indent, separators, sorted } = options;
  const inside = indent === undefined ? "" : `\n${indent.repeat(level + 1)}`;
  const outside = indent === undefined ? "" : `\n${indent.repeat(level)}`;
  const around = (open: string, items: readonly Text[], close: string): Text =>
    items.length === 0
      ? open + close
      : concat([
          open,
          inside,
          ...items.flatMap((item, i) => [i > 0 ? separators[0] + inside : "", item]),
          outside,
          close,
        ]);
  const items = isList(value) ? value : value instanceof Tuple ? value.items : undefined;
  if (items !== undefined)
    return around(
      "[",
      items.map((item) => toJson(item, options, level + 1)),
      "]",
    );
  if (value instanceof Map) {
    const entries = [...value].map(([key, member]): [string, Value] => [jsonKey(key), member]);
    if (sorted) entries.sort(([a], [b]) => compareTexts(a, b));
    const members = entries.map(([key, member]) =>
      concat([string(key), separators[1], toJson(member, options, level + 1)]),
    );
    return around("{", members, "}");
  }
  return raise("TypeError", `Object of type ${typeName(value)} is not JSON serializable`);
}

function jsonKey(key: Value): string {
  if (typeof key === "string") return key;
  if (key === null) return "null";
  if (typeof key === "boolean" || typeof key === "number") return String(key);
  return unsupported("a key of JSON that is no string");
}

/** By code points, as Python compares. */
export function compareTexts(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const difference = (x[i].codePointAt(0) ?? 0) - (y[i].codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}
