// What comes from data, made fit for a message: on one line, without what a terminal takes for orders, and not long.

/** Controls, marks of direction, breaks of lines and halves of surrogate pairs. */
function isUnfit(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code < 0xa0) ||
    code === 0x200e ||
    code === 0x200f ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code === 0xfeff
  );
}

/** The text on one line, with escapes for what a terminal would not print. */
export function printable(text: string): string {
  let out = "";
  for (const c of text) {
    const code = c.codePointAt(0) ?? 0;
    out += isUnfit(code) ? `\\u${code.toString(16).padStart(4, "0")}` : c;
  }
  return out;
}

/** A reason, cut after 300 characters. */
export function reason(text: string): string {
  return printable(text.length > 300 ? `${text.slice(0, 297)}...` : text);
}

/** A value as code would have it, cut after 60 characters; objects and lists by their kind. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "string") return String(value);
  const text = printable(JSON.stringify(value.length > 60 ? value.slice(0, 60) : value));
  return value.length > 60 ? `${text.slice(0, -1)}..."` : text;
}
