// JSON as Python reads it, for the few records in which that matters: 1.0 is no 1, NaN and Infinity are numbers.
import { Float } from "../chat/values.ts";

const DEEPEST = 500;

/** @throws SyntaxError for text that is no JSON for Python either. */
export function parseExact(text: string): unknown {
  let at = 0;
  const fail = (): never => {
    throw new SyntaxError(`unexpected ${at < text.length ? JSON.stringify(text[at]) : "end"} at ${at}`);
  };
  const space = () => {
    while (at < text.length && " \t\n\r".includes(text[at])) at++;
  };
  const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
  const readString = (): string => {
    if (text[at] !== '"') return fail();
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    const literal = text.slice(at, end + 1);
    at = end + 1;
    return JSON.parse(literal) as string;
  };
  const value = (depth: number): unknown => {
    if (depth > DEEPEST) throw new SyntaxError("nested too deep");
    space();
    const c = text[at];
    if (c === '"') return readString();
    if (c === "{") {
      const object: Record<string, unknown> = {};
      at++;
      space();
      if (text[at] === "}") at++;
      else {
        for (;;) {
          space();
          const name = readString();
          space();
          if (text[at++] !== ":") fail();
          const member = value(depth + 1);
          Object.defineProperty(object, name, { value: member, enumerable: true, configurable: true, writable: true });
          space();
          if (text[at++] === "}") break;
          if (text[at - 1] !== ",") fail();
        }
      }
      return object;
    }
    if (c === "[") {
      const items: unknown[] = [];
      at++;
      space();
      if (text[at] === "]") at++;
      else {
        for (;;) {
          items.push(value(depth + 1));
          space();
          if (text[at++] === "]") break;
          if (text[at - 1] !== ",") fail();
        }
      }
      return items;
    }
    for (const [word, constant] of [
      ["true", true],
      ["false", false],
      ["null", null],
      ["NaN", new Float(Number.NaN)],
      ["Infinity", new Float(Number.POSITIVE_INFINITY)],
      ["-Infinity", new Float(Number.NEGATIVE_INFINITY)],
    ] as const) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return constant;
      }
    }
    number.lastIndex = at;
    const found = number.exec(text);
    if (found === null) return fail();
    at += found[0].length;
    return found[1] === undefined && found[2] === undefined ? Number(found[0]) : new Float(Number(found[0]));
  };
  const result = value(0);
  space();
  return at === text.length ? result : fail();
}
