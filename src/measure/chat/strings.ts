// Methods of Python's str.
import { changed, concat, isText, type Questions, type Text } from "./rope.ts";
import {
  Callable,
  isList,
  type Keywords,
  numberOf,
  raise,
  str,
  Tuple,
  typeName,
  unsupported,
  type Value,
} from "./values.ts";

/** What `str.isspace` and `strip` take for white space: not U+FEFF, but some controls. */
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const LEADING = new RegExp(`^${SPACE}+`);
const TRAILING = new RegExp(`${SPACE}+$`);
const SPACES = new RegExp(`${SPACE}+`, "g");

export function strip(text: string, chars: string | undefined, sides: "both" | "left" | "right"): string {
  if (chars === undefined) {
    // From the end by hand: a regular expression would try again at every white space within the text.
    let end = text.length;
    if (sides !== "left") while (end > 0 && TRAILING.test(text[end - 1])) end--;
    const rest = text.slice(0, end);
    return sides === "right" ? rest : rest.replace(LEADING, "");
  }
  const set = new Set(chars);
  const points = Array.from(text);
  let [from, to] = [0, points.length];
  if (sides !== "right") while (from < to && set.has(points[from])) from++;
  if (sides !== "left") while (to > from && set.has(points[to - 1])) to--;
  return points.slice(from, to).join("");
}

const isCased = (c: string) => /[\p{Lu}\p{Ll}\p{Lt}]/u.test(c);

/** Letters whose title case is neither their upper case nor its first letter alone. */
const TITLES: Readonly<Record<string, string>> = {
  Ǆ: "ǅ", ǆ: "ǅ", ǅ: "ǅ", Ǉ: "ǈ", ǉ: "ǈ", ǈ: "ǈ", Ǌ: "ǋ", ǌ: "ǋ", ǋ: "ǋ", Ǳ: "ǲ", ǳ: "ǲ", ǲ: "ǲ", ŉ: "ʼN",
}; // biome-ignore format: a table

function titleCase(c: string): string {
  const known = TITLES[c];
  if (known !== undefined) return known;
  const [first = "", ...rest] = Array.from(c.toUpperCase());
  return first + rest.join("").toLowerCase();
}

/** `s.title()`: every letter after something without case is capital. */
export function title(text: string): string {
  let out = "";
  let inside = false;
  for (const c of text) {
    out += inside ? c.toLowerCase() : titleCase(c);
    inside = isCased(c);
  }
  return out;
}

export function capitalize(text: string): string {
  const [first = ""] = text;
  return titleCase(first) + text.slice(first.length).toLowerCase();
}

export function replace(text: string, old: string, by: string, count: number): string {
  if (count < 0) return old === "" ? between(text, by, Number.POSITIVE_INFINITY) : text.split(old).join(by);
  if (old === "") return between(text, by, count);
  const parts = split(text, old, count);
  return parts.join(by);
}

/** `by` before every character and at the end, `count` times at most. */
function between(text: string, by: string, count: number): string {
  const points = [...Array.from(text), ""];
  return points.map((c, i) => (i < count ? by + c : c)).join("");
}

export function split(text: string, separator: string | undefined, most: number): string[] {
  const limit = most < 0 ? Number.POSITIVE_INFINITY : most;
  const parts: string[] = [];
  if (separator === undefined) {
    let rest = text.replace(LEADING, "");
    while (rest !== "") {
      SPACES.lastIndex = 0;
      const space = parts.length < limit ? SPACES.exec(rest) : null;
      if (space === null) {
        parts.push(rest);
        break;
      }
      parts.push(rest.slice(0, space.index));
      rest = rest.slice(space.index + space[0].length);
    }
    return parts;
  }
  if (separator === "") raise("ValueError", "empty separator");
  let from = 0;
  for (let at = text.indexOf(separator); at >= 0 && parts.length < limit; at = text.indexOf(separator, from)) {
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  return [...parts, text.slice(from)];
}

function splitFromRight(text: string, separator: string | undefined, most: number): string[] {
  const reversed = (value: string) => Array.from(value).reverse().join("");
  return split(reversed(text), separator === undefined ? undefined : reversed(separator), most)
    .map(reversed)
    .reverse();
}

/** What `splitlines` takes for the end of a line, beside CR LF. */
const BREAKS = new Set("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029");

/** `s.splitlines(keep)`. */
export function lines(text: string, keep: boolean): string[] {
  const found: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (!BREAKS.has(text[at])) continue;
    const end = text[at] === "\r" && text[at + 1] === "\n" ? at + 2 : at + 1;
    found.push(text.slice(from, keep ? end : at));
    from = end;
    at = end - 1;
  }
  return from < text.length ? [...found, text.slice(from)] : found;
}

/** The place of `part` in code points, -1 where it is not. */
function find(text: string, part: string, from: number, fromRight: boolean): number {
  const points = Array.from(text);
  const start = points.slice(0, from < 0 ? Math.max(points.length + from, 0) : from).join("").length;
  if (from > points.length) return -1;
  const at = fromRight ? text.lastIndexOf(part) : text.indexOf(part, start);
  return at < start ? -1 : Array.from(text.slice(0, at)).length;
}

/** `"...{} {name}...".format(...)` with plain fields. */
function format(text: string, args: readonly Value[], keywords: Keywords): Text {
  const parts: Text[] = [];
  let next = 0;
  let last = 0;
  for (const match of text.matchAll(/\{\{|\}\}|\{(\w*)\}|[{}]/g)) {
    parts.push(text.slice(last, match.index));
    last = match.index + match[0].length;
    if (match[0] === "{{" || match[0] === "}}") parts.push(match[0][0]);
    else if (match[1] === undefined) unsupported("a format with more than names in braces");
    else {
      const name = match[1];
      const value = name === "" ? args[next++] : /^\d+$/.test(name) ? args[Number(name)] : keywords.get(name);
      if (value === undefined) raise(/^\d*$/.test(name) ? "IndexError" : "KeyError", `no value for {${name}}`);
      parts.push(str(value as Value));
    }
  }
  return concat([...parts, text.slice(last)]);
}

/** `"..." % (...)` with %s and %d. */
export function percent(text: string, values: readonly Value[]): Text {
  const parts: Text[] = [];
  let next = 0;
  let last = 0;
  for (const match of text.matchAll(/%(.?)/gs)) {
    parts.push(text.slice(last, match.index));
    last = match.index + match[0].length;
    if (match[1] === "%") {
      parts.push("%");
      continue;
    }
    if (match[1] !== "s" && match[1] !== "d") unsupported(`the format %${match[1]}`);
    if (next >= values.length) raise("TypeError", "not enough arguments for format string");
    const value = values[next++];
    if (match[1] === "d") {
      const number =
        numberOf(value) ?? raise("TypeError", `%d format: a real number is required, not ${typeName(value)}`);
      parts.push(String(Math.trunc(number)));
    } else parts.push(str(value));
  }
  if (next < values.length) raise("TypeError", "not all arguments converted during string formatting");
  return concat([...parts, text.slice(last)]);
}

const length = (text: string) => Array.from(text).length;

type Method = (text: Text, args: readonly Value[], keywords: Keywords, questions: Questions) => Value;

/** The argument at `i` or of a name as a string. */
function textArgument(args: readonly Value[], i: number, questions: Questions, method: string): string {
  const value = args[i];
  if (isText(value)) return questions.exactly(value);
  return raise(
    "TypeError",
    `${method}() argument ${i + 1} must be str, not ${value === undefined ? "nothing" : typeName(value)}`,
  );
}

function optionalText(value: Value | undefined, questions: Questions): string | undefined {
  if (value === undefined || value === null) return undefined;
  return isText(value) ? questions.exactly(value) : raise("TypeError", `must be str or None, not ${typeName(value)}`);
}

function optionalNumber(value: Value | undefined, usual: number): number {
  if (value === undefined || value === null) return usual;
  return typeof value === "number" || typeof value === "boolean"
    ? Number(value)
    : raise("TypeError", `'${typeName(value)}' object cannot be interpreted as an integer`);
}

const simple =
  (change: (text: string) => string): Method =>
  (text) =>
    changed(text, change);
const question =
  (ask: (text: string) => boolean): Method =>
  (text, _args, _keywords, questions) =>
    questions.ask([text], ask);
const stripping =
  (sides: "both" | "left" | "right"): Method =>
  (text, args, _keywords, questions) => {
    const chars = optionalText(args[0], questions);
    return changed(text, (value) => strip(value, chars, sides));
  };
const affix =
  (name: string, has: (text: string, part: string) => boolean): Method =>
  (text, args, _keywords, questions) => {
    if (args.length > 1) unsupported(`${name}() with a place`);
    const [parts] = args;
    const list = parts instanceof Tuple ? parts.items : [parts];
    return list.some((part) => {
      if (!isText(part)) {
        return raise(
          "TypeError",
          `${name} first arg must be str or a tuple of str, not ${part === undefined ? "nothing" : typeName(part)}`,
        );
      }
      return questions.ask([text, part], has);
    });
  };
const splitting =
  (by: (text: string, separator: string | undefined, most: number) => string[]): Method =>
  (text, args, keywords, questions) => {
    const separator = optionalText(args[0] ?? keywords.get("sep"), questions);
    const most = optionalNumber(args[1] ?? keywords.get("maxsplit"), -1);
    return questions.list(text, (value) => by(value, separator, most));
  };
const finding =
  (name: string, fromRight: boolean, raises: boolean): Method =>
  (text, args, _keywords, questions) => {
    if (args.length > 2) unsupported(`${name}() with an end`);
    const part = textArgument(args, 0, questions, name);
    const from = optionalNumber(args[1], 0);
    const at = questions.ask([text], (value) => find(value, part, from, fromRight));
    return raises && at < 0 ? raise("ValueError", "substring not found") : at;
  };
const parting =
  (name: string, fromRight: boolean): Method =>
  (text, args, _keywords, questions) => {
    const separator = textArgument(args, 0, questions, name);
    const parts = (value: string): string[] => {
      const at = fromRight ? value.lastIndexOf(separator) : value.indexOf(separator);
      if (at < 0) return fromRight ? ["", "", value] : [value, "", ""];
      return [value.slice(0, at), separator, value.slice(at + separator.length)];
    };
    return new Tuple(questions.list(text, parts));
  };
const padding =
  (name: string, place: (text: string, missing: number, fill: string) => string): Method =>
  (text, args, _keywords, questions) => {
    const width = optionalNumber(args[0], 0);
    const fill = args[1] === undefined ? " " : textArgument(args, 1, questions, name);
    return changed(text, (value) => place(value, Math.max(width - length(value), 0), fill));
  };

const METHODS: Readonly<Record<string, Method>> = {
  upper: simple((text) => text.toUpperCase()),
  lower: simple((text) => text.toLowerCase()),
  title: simple(title),
  capitalize: simple(capitalize),
  strip: stripping("both"),
  lstrip: stripping("left"),
  rstrip: stripping("right"),
  startswith: affix("startswith", (text, part) => text.startsWith(part)),
  endswith: affix("endswith", (text, part) => text.endsWith(part)),
  split: splitting(split),
  rsplit: splitting(splitFromRight),
  splitlines: (text, args, keywords, questions) => {
    const keep = args[0] ?? keywords.get("keepends") ?? false;
    if (typeof keep !== "boolean") unsupported("splitlines() with something else than true or false");
    return questions.list(text, (value) => lines(value, keep === true));
  },
  replace: (text, args, keywords, questions) => {
    const old = textArgument(args, 0, questions, "replace");
    const by = textArgument(args, 1, questions, "replace");
    const count = optionalNumber(args[2] ?? keywords.get("count"), -1);
    return changed(text, (value) => replace(value, old, by, count));
  },
  find: finding("find", false, false),
  rfind: finding("rfind", true, false),
  index: finding("index", false, true),
  rindex: finding("rindex", true, true),
  count: (text, args, _keywords, questions) => {
    if (args.length > 1) unsupported("count() with a place");
    const part = textArgument(args, 0, questions, "count");
    return questions.ask([text], (value) => (part === "" ? length(value) + 1 : value.split(part).length - 1));
  },
  partition: parting("partition", false),
  rpartition: parting("rpartition", true),
  removeprefix: (text, args, _keywords, questions) => {
    const part = textArgument(args, 0, questions, "removeprefix");
    return changed(text, (value) => (value.startsWith(part) ? value.slice(part.length) : value));
  },
  removesuffix: (text, args, _keywords, questions) => {
    const part = textArgument(args, 0, questions, "removesuffix");
    return changed(text, (value) => (part !== "" && value.endsWith(part) ? value.slice(0, -part.length) : value));
  },
  join: (text, args, _keywords, _questions) => {
    const items =
      args[0] instanceof Tuple ? args[0].items : isList(args[0]) ? args[0] : unsupported("join() of no list");
    return concat(
      items.flatMap((item, i) => [
        i > 0 ? text : "",
        isText(item) ? item : raise("TypeError", `sequence item ${i}: expected str instance, ${typeName(item)} found`),
      ]),
    );
  },
  format: (text, args, keywords, questions) => format(questions.exactly(text), args, keywords),
  zfill: padding("zfill", (text, missing) => {
    const sign = /^[+-]/.test(text) ? text[0] : "";
    return sign + "0".repeat(missing) + text.slice(sign.length);
  }),
  ljust: padding("ljust", (text, missing, fill) => text + fill.repeat(missing)),
  rjust: padding("rjust", (text, missing, fill) => fill.repeat(missing) + text),
  isspace: question((text) => text !== "" && text.replaceAll(SPACES, "") === ""),
  isdigit: question((text) => /^[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨]+$/u.test(text)),
  isdecimal: question((text) => /^\p{Nd}+$/u.test(text)),
  isnumeric: question((text) => /^\p{N}+$/u.test(text)),
  isalpha: question((text) => /^\p{L}+$/u.test(text)),
  isalnum: question((text) => /^[\p{L}\p{N}]+$/u.test(text)),
  isupper: question((text) => /\p{Lu}/u.test(text) && !/[\p{Ll}\p{Lt}]/u.test(text)),
  islower: question((text) => /\p{Ll}/u.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text)),
};

/** A method of a string, or undefined. */
export function stringMethod(text: Text, name: string, questions: Questions): Callable | undefined {
  if (!Object.hasOwn(METHODS, name)) return undefined;
  const method = METHODS[name];
  return new Callable(name, (args, keywords) => method(text, args, keywords, questions));
}

/** Methods of Python's str that are not done here: a template that names one is refused, not rendered otherwise. */
export const OTHER_METHODS = new Set([
  "casefold",
  "center",
  "encode",
  "expandtabs",
  "format_map",
  "isascii",
  "isidentifier",
  "isprintable",
  "istitle",
  "maketrans",
  "swapcase",
  "translate",
]);
