// Filters and tests of Jinja2, as transformers sets them up.
import { changed, concat, isText, type Questions, type Text } from "./rope.ts";
import { capitalize, lines, percent, replace, strip } from "./strings.ts";
import {
  Callable,
  compareTexts,
  type Dict,
  equal,
  Float,
  isList,
  type Keywords,
  Markup,
  numberOf,
  raise,
  str,
  Tuple,
  toJson,
  truthy,
  typeName,
  Undefined,
  unsupported,
  type Value,
} from "./values.ts";

/** What filters and tests need of the evaluator. */
export interface Host {
  readonly questions: Questions;
  items(value: Value): readonly Value[];
  /** `a.b` or `a[b]`, as attribute="b.c" looks it up. */
  item(value: Value, key: Value): Value;
  length(value: Value): number;
  contains(container: Value, value: Value): boolean;
}

export type Filter = (value: Value, args: readonly Value[], keywords: Keywords, host: Host) => Value;
export type Test = (value: Value, args: readonly Value[], host: Host) => boolean;

/** The argument at `i` or of that name. */
function given(args: readonly Value[], i: number, keywords: Keywords, name: string): Value | undefined {
  return args[i] ?? keywords.get(name);
}

function wholeGiven(value: Value | undefined, usual: number): number {
  if (value === undefined || value === null) return usual;
  return typeof value === "number" ? value : unsupported(`a ${typeName(value)} where a filter takes a number`);
}

/** As a string, whatever it is; `soft_str`. */
const soft = (value: Value): Text => (value instanceof Markup ? unsupported("a filter of marked-up text") : str(value));

const textFilter =
  (change: (text: string) => string): Filter =>
  (value) =>
    changed(soft(value), change);

/** `title` as the filter does it: the first letter of each word, where words follow blanks and brackets. */
function titleWords(text: string): string {
  return text
    .split(/([-\s({[<]+)/)
    .map((item) => item.slice(0, 1).toUpperCase() + item.slice(1).toLowerCase())
    .join("");
}

/** Looks up "a.b.0" in every item. */
function attributeOf(value: Value, path: Value, host: Host): Value {
  if (typeof path === "number") return host.item(value, path);
  const parts = host.questions.exactly(isText(path) ? path : raise("TypeError", "attribute is no string")).split(".");
  let found = value;
  for (const part of parts) found = host.item(found, /^\d+$/.test(part) ? Number(part) : part);
  return found;
}

function sortKey(value: Value, caseSensitive: boolean, host: Host): Value {
  if (!isText(value)) return value;
  const text = host.questions.exactly(value);
  return caseSensitive ? text : text.toLowerCase();
}

/** Python's order of two values of a kind. */
export function compare(a: Value, b: Value, questions: Questions): number {
  if (isText(a) && isText(b)) return questions.ask([a, b], (x, y) => Math.sign(compareTexts(x, y)));
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x - y;
  const [p, q] = isList(a) && isList(b) ? [a, b] : a instanceof Tuple && b instanceof Tuple ? [a.items, b.items] : [];
  if (p !== undefined && q !== undefined) {
    for (let i = 0; i < Math.min(p.length, q.length); i++) {
      if (!equal(p[i], q[i], questions)) return compare(p[i], q[i], questions);
    }
    return p.length - q.length;
  }
  if (a instanceof Undefined) a.fail();
  if (b instanceof Undefined) b.fail();
  return raise("TypeError", `'<' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

function sorted(items: readonly Value[], key: (item: Value) => Value, reverse: boolean, host: Host): Value[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  // Stable in both directions, as Python's is.
  keyed.sort((a, b) => (reverse ? -1 : 1) * compare(a.key, b.key, host.questions));
  return keyed.map(({ item }) => item);
}

/** select, reject, selectattr, rejectattr. */
const selecting =
  (keeps: boolean, byAttribute: boolean): Filter =>
  (value, args, _keywords, host) => {
    const [path] = args;
    const [name, ...rest] = byAttribute ? args.slice(1) : args;
    const test = name === undefined ? undefined : testNamed(name, host);
    return host.items(value).filter((item) => {
      const seen = byAttribute ? attributeOf(item, path, host) : item;
      return (test === undefined ? truthy(seen, host.questions) : test(seen, rest, host)) === keeps;
    });
  };

function testNamed(name: Value, host: Host): Test {
  const text = isText(name) ? host.questions.exactly(name) : "";
  return Object.hasOwn(tests, text) ? tests[text] : unsupported(`the test "${text}"`);
}

function indentLines(text: string, by: string, first: boolean, blank: boolean): string {
  const [head = "", ...rest] = lines(`${text}\n`, false);
  const out = [head, ...rest.map((line) => (blank || line !== "" ? by + line : line))].join("\n");
  return first ? by + out : out;
}

function pieces(items: readonly Value[], size: number, fill: Value | undefined): Value[][] {
  const out: Value[][] = [];
  for (let i = 0; i < items.length; i += size) out.push(items.slice(i, i + size));
  const last = out[out.length - 1];
  if (fill !== undefined && fill !== null && last !== undefined) while (last.length < size) last.push(fill);
  return out;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};
const escapeText: Filter = (value) => {
  if (value instanceof Markup) return value;
  return new Markup(changed(str(value), (text) => text.replaceAll(/[&<>"']/g, (c) => escapes[c])));
};

const count: Filter = (value, _args, _keywords, host) => host.length(value);

const fallback: Filter = (value, args, keywords, host) => {
  const other = given(args, 0, keywords, "default_value") ?? "";
  const boolean = given(args, 1, keywords, "boolean") ?? false;
  const missing = value instanceof Undefined || (truthy(boolean, host.questions) && !truthy(value, host.questions));
  return missing ? other : value;
};

export const filters: Readonly<Record<string, Filter>> = {
  abs: (value) => {
    const number = numberOf(value) ?? raise("TypeError", `bad operand type for abs(): '${typeName(value)}'`);
    return value instanceof Float ? new Float(Math.abs(number)) : Math.abs(number);
  },
  attr: () => unsupported("the filter attr"),
  batch: (value, args, keywords, host) => {
    const size = wholeGiven(given(args, 0, keywords, "linecount"), 0);
    if (size < 1) unsupported("batch() of less than one");
    return pieces(host.items(value), size, given(args, 1, keywords, "fill_with"));
  },
  capitalize: textFilter(capitalize),
  count,
  d: fallback,
  default: fallback,
  dictsort: (value, args, keywords, host) => {
    const sensitive = truthy(given(args, 0, keywords, "case_sensitive") ?? false, host.questions);
    const by = given(args, 1, keywords, "by") ?? "key";
    const reverse = truthy(given(args, 2, keywords, "reverse") ?? false, host.questions);
    if (!(value instanceof Map)) return raise("AttributeError", `'${typeName(value)}' object has no attribute 'items'`);
    const place =
      by === "key"
        ? 0
        : by === "value"
          ? 1
          : raise("FilterArgumentError", 'You can only sort by either "key" or "value"');
    const items = [...value].map(([key, member]) => new Tuple([key, member]));
    return sorted(items, (item) => sortKey((item as Tuple).items[place], sensitive, host), reverse, host);
  },
  e: escapeText,
  escape: escapeText,
  first: (value, _args, _keywords, host) => host.items(value)[0] ?? new Undefined("No first item, sequence was empty."),
  float: (value, args, keywords, host) => {
    const usual = given(args, 0, keywords, "default") ?? new Float(0);
    const number = numberOf(value);
    if (number !== undefined) return new Float(number);
    if (!isText(value)) return usual;
    const text = strip(host.questions.exactly(value), undefined, "both");
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? new Float(Number(text)) : usual;
  },
  format: (value, args, keywords, host) => {
    if (keywords.size > 0) unsupported("the filter format with names");
    return percent(host.questions.exactly(soft(value)), args);
  },
  groupby: (value, args, keywords, host) => {
    if (args.length > 1 || keywords.size > 0) unsupported("groupby() with more than an attribute");
    const key = (item: Value) => attributeOf(item, args[0], host);
    const groups: { key: Value; items: Value[] }[] = [];
    for (const item of sorted(host.items(value), (one) => sortKey(key(one), false, host), false, host)) {
      const own = key(item);
      const last = groups[groups.length - 1];
      const same =
        last !== undefined && equal(sortKey(last.key, false, host), sortKey(own, false, host), host.questions);
      if (same) last.items.push(item);
      else groups.push({ key: own, items: [item] });
    }
    return groups.map((group) => new Tuple([group.key, group.items]));
  },
  indent: (value, args, keywords, host) => {
    const width = given(args, 0, keywords, "width") ?? 4;
    const by = typeof width === "number" ? " ".repeat(width) : host.questions.exactly(soft(width));
    const first = truthy(given(args, 1, keywords, "first") ?? false, host.questions);
    const blank = truthy(given(args, 2, keywords, "blank") ?? false, host.questions);
    return changed(soft(value), (text) => indentLines(text, by, first, blank));
  },
  int: (value, args, keywords, host) => {
    if (args.length > 1 || keywords.has("base")) unsupported("the filter int with a base");
    const usual = given(args, 0, keywords, "default") ?? 0;
    const number = numberOf(value);
    if (number !== undefined) return Math.trunc(number);
    if (!isText(value)) return usual;
    const text = strip(host.questions.exactly(value), undefined, "both");
    if (/^[+-]?\d+$/.test(text)) return Number(text);
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Math.trunc(Number(text)) : usual;
  },
  items: (value) => {
    if (value instanceof Undefined) return [];
    if (!(value instanceof Map)) return raise("TypeError", "Can only get item pairs from a mapping.");
    return [...value].map(([key, member]) => new Tuple([key, member]));
  },
  join: (value, args, keywords, host) => {
    const between = given(args, 0, keywords, "d") ?? "";
    const attribute = given(args, 1, keywords, "attribute");
    const items = host
      .items(value)
      .map((item) => (attribute === undefined ? item : attributeOf(item, attribute, host)));
    return concat(items.flatMap((item, i) => [i > 0 ? soft(between) : "", soft(item)]));
  },
  last: (value, _args, _keywords, host) => {
    const items = host.items(value);
    return items[items.length - 1] ?? new Undefined("No last item, sequence was empty.");
  },
  length: count,
  list: (value, _args, _keywords, host) => [...host.items(value)],
  lower: textFilter((text) => text.toLowerCase()),
  map: (value, args, keywords, host) => {
    const attribute = keywords.get("attribute");
    if (attribute !== undefined) {
      const usual = keywords.get("default");
      return host.items(value).map((item) => {
        const found = attributeOf(item, attribute, host);
        return found instanceof Undefined && usual !== undefined ? usual : found;
      });
    }
    const [name, ...rest] = args;
    const text = isText(name) ? host.questions.exactly(name) : "";
    const filter = Object.hasOwn(filters, text) ? filters[text] : unsupported(`map() with "${text}"`);
    return host.items(value).map((item) => filter(item, rest, keywords, host));
  },
  max: (value, args, keywords, host) => extreme(value, args, keywords, host, 1),
  min: (value, args, keywords, host) => extreme(value, args, keywords, host, -1),
  reject: selecting(false, false),
  rejectattr: selecting(false, true),
  replace: (value, args, keywords, host) => {
    const [old, by] = [given(args, 0, keywords, "old"), given(args, 1, keywords, "new")];
    if (old === undefined || by === undefined)
      return raise("TypeError", "replace() needs what is replaced, and by what");
    const times = wholeGiven(given(args, 2, keywords, "count"), -1);
    const [from, to] = [host.questions.exactly(soft(old)), host.questions.exactly(soft(by))];
    return changed(soft(value), (text) => replace(text, from, to, times));
  },
  reverse: (value, _args, _keywords, host) => {
    if (isText(value)) return changed(value, (text) => Array.from(text).reverse().join(""));
    return [...host.items(value)].reverse();
  },
  round: (value, args, keywords) => {
    if (args.length > 1 || keywords.has("method")) unsupported("the filter round with a method");
    const number = numberOf(value) ?? raise("TypeError", `type ${typeName(value)} doesn't define __round__ method`);
    const digits = wholeGiven(given(args, 0, keywords, "precision"), 0);
    if (!(value instanceof Float)) return digits >= 0 ? Number(number) : unsupported("rounding to tens");
    // Python rounds the exact value, halves to the even digit; toFixed takes exact halves up.
    const scaled = number * 10 ** digits;
    if (Number.isInteger(scaled * 2) && !Number.isInteger(scaled)) {
      const below = Math.floor(scaled);
      return new Float((below % 2 === 0 ? below : below + 1) / 10 ** digits);
    }
    return new Float(Number(number.toFixed(digits)));
  },
  safe: (value) => new Markup(str(value)),
  select: selecting(true, false),
  selectattr: selecting(true, true),
  sort: (value, args, keywords, host) => {
    const reverse = truthy(given(args, 0, keywords, "reverse") ?? false, host.questions);
    const sensitive = truthy(given(args, 1, keywords, "case_sensitive") ?? false, host.questions);
    const attribute = given(args, 2, keywords, "attribute");
    const key = (item: Value) =>
      sortKey(
        attribute === undefined || attribute === null ? item : attributeOf(item, attribute, host),
        sensitive,
        host,
      );
    return sorted(host.items(value), key, reverse, host);
  },
  string: (value) => soft(value),
  sum: (value, args, keywords, host) => {
    const attribute = given(args, 0, keywords, "attribute");
    const start = given(args, 1, keywords, "start") ?? 0;
    const values = [start, ...host.items(value).map((item) => (attribute ? attributeOf(item, attribute, host) : item))];
    const numbers = values.map(
      (item) =>
        numberOf(item) ?? raise("TypeError", `unsupported operand type(s) for +: 'int' and '${typeName(item)}'`),
    );
    const total = numbers.reduce((sum, number) => sum + number, 0);
    return values.some((item) => item instanceof Float) ? new Float(total) : total;
  },
  title: textFilter(titleWords),
  tojson: (value, args, keywords, host) => {
    const ascii = truthy(given(args, 0, keywords, "ensure_ascii") ?? false, host.questions);
    const indent = given(args, 1, keywords, "indent");
    const separators = given(args, 2, keywords, "separators");
    const inOrder = truthy(given(args, 3, keywords, "sort_keys") ?? false, host.questions);
    const step =
      indent === undefined || indent === null
        ? undefined
        : typeof indent === "number"
          ? " ".repeat(indent)
          : host.questions.exactly(soft(indent));
    let between: readonly [string, string] = [step === undefined ? ", " : ",", ": "];
    if (separators !== undefined && separators !== null) {
      const [a, b] = host.items(separators).map((item) => host.questions.exactly(soft(item)));
      between = [a, b];
    }
    return toJson(value, { ascii, indent: step, separators: between, sorted: inOrder });
  },
  trim: (value, args, keywords, host) => {
    const chars = given(args, 0, keywords, "chars");
    const set = chars === undefined || chars === null ? undefined : host.questions.exactly(soft(chars));
    return changed(soft(value), (text) => strip(text, set, "both"));
  },
  unique: (value, args, keywords, host) => {
    const sensitive = truthy(given(args, 0, keywords, "case_sensitive") ?? false, host.questions);
    const attribute = given(args, 1, keywords, "attribute");
    const seen: Value[] = [];
    return host.items(value).filter((item) => {
      const key = sortKey(attribute ? attributeOf(item, attribute, host) : item, sensitive, host);
      if (seen.some((other) => equal(other, key, host.questions))) return false;
      seen.push(key);
      return true;
    });
  },
  upper: textFilter((text) => text.toUpperCase()),
  wordcount: (value, _args, _keywords, host) =>
    host.questions.ask([soft(value)], (text) => (text.match(/[\p{L}\p{N}\p{M}_]+/gu) ?? []).length),
};

function extreme(value: Value, args: readonly Value[], keywords: Keywords, host: Host, sign: number): Value {
  const sensitive = truthy(given(args, 0, keywords, "case_sensitive") ?? false, host.questions);
  const attribute = given(args, 1, keywords, "attribute");
  const items = host.items(value);
  if (items.length === 0) return new Undefined("No aggregated item, sequence was empty.");
  const key = (item: Value) => sortKey(attribute ? attributeOf(item, attribute, host) : item, sensitive, host);
  return items.reduce((best, item) => (compare(key(item), key(best), host.questions) * sign > 0 ? item : best));
}

const is =
  (check: (value: Value) => boolean): Test =>
  (value) =>
    check(value);

const isNumber = (value: Value) => numberOf(value) !== undefined;
const whole = (value: Value): number =>
  typeof value === "number" ? value : unsupported(`a test of whole numbers on a ${typeName(value)}`);
const same: Test = (value, [other], host) => equal(value, other, host.questions);
const ordered =
  (holds: (order: number) => boolean): Test =>
  (value, [other], host) =>
    holds(compare(value, other, host.questions));
const isSequence = (value: Value) =>
  isText(value) ||
  isList(value) ||
  value instanceof Tuple ||
  value instanceof Map ||
  value instanceof Undefined ||
  value instanceof Markup;

export const tests: Readonly<Record<string, Test>> = {
  boolean: is((value) => typeof value === "boolean"),
  callable: is((value) => value instanceof Callable),
  defined: is((value) => !(value instanceof Undefined)),
  divisibleby: (value, [by]) => whole(value) % whole(by) === 0,
  "==": same,
  eq: same,
  equalto: same,
  "!=": (value, args, host) => !same(value, args, host),
  ne: (value, args, host) => !same(value, args, host),
  ">": ordered((order) => order > 0),
  gt: ordered((order) => order > 0),
  greaterthan: ordered((order) => order > 0),
  ">=": ordered((order) => order >= 0),
  ge: ordered((order) => order >= 0),
  "<": ordered((order) => order < 0),
  lt: ordered((order) => order < 0),
  lessthan: ordered((order) => order < 0),
  "<=": ordered((order) => order <= 0),
  le: ordered((order) => order <= 0),
  even: (value) => whole(value) % 2 === 0,
  odd: (value) => Math.abs(whole(value) % 2) === 1,
  false: is((value) => value === false),
  true: is((value) => value === true),
  float: is((value) => value instanceof Float),
  in: (value, [container], host) => host.contains(container, value),
  integer: is((value) => typeof value === "number"),
  // Undefined is iterable, and so are strings.
  iterable: is((value) => isSequence(value)),
  lower: (value, _args, host) =>
    host.questions.ask([soft(value)], (text) => /\p{Ll}/u.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text)),
  upper: (value, _args, host) =>
    host.questions.ask([soft(value)], (text) => /\p{Lu}/u.test(text) && !/[\p{Ll}\p{Lt}]/u.test(text)),
  mapping: is((value) => value instanceof Map),
  none: is((value) => value === null),
  number: is(isNumber),
  sameas: (value, [other]) => {
    const plain = (one: Value) => one === null || typeof one === "boolean";
    return plain(value) || plain(other)
      ? value === other
      : unsupported("the test sameas of more than true, false, none");
  },
  sequence: is(isSequence),
  string: is((value) => isText(value) || value instanceof Markup),
  undefined: is((value) => value instanceof Undefined),
};

/** The members of a dict that templates call. */
export function dictMethod(dict: Dict, name: string, host: Host): Callable | undefined {
  const find = (key: Value): Value | undefined => {
    const plain = isText(key) ? host.questions.exactly(key) : key;
    return dict.get(plain);
  };
  const calls: Record<string, (args: readonly Value[]) => Value> = {
    get: ([key, usual]) => find(key) ?? usual ?? null,
    items: () => [...dict].map(([key, value]) => new Tuple([key, value])),
    keys: () => [...dict.keys()],
    values: () => [...dict.values()],
    copy: () => new Map(dict),
  };
  return Object.hasOwn(calls, name) ? new Callable(name, calls[name]) : undefined;
}

export function listMethod(list: readonly Value[], name: string, host: Host): Callable | undefined {
  const calls: Record<string, (args: readonly Value[]) => Value> = {
    count: ([value]) => list.filter((item) => equal(item, value, host.questions)).length,
    index: ([value]) => {
      const at = list.findIndex((item) => equal(item, value, host.questions));
      return at < 0 ? raise("ValueError", "the value is not in the list") : at;
    },
    copy: () => [...list],
  };
  return Object.hasOwn(calls, name) ? new Callable(name, calls[name]) : undefined;
}
