import CliTable, { type HorizontalAlignment } from "cli-table3";

/** 1234567 as 1,234,567: the same in every locale. */
export function thousands(value: number, decimals = 0): string {
  return value.toFixed(decimals).replace(/\B(?=(\d{3})+(\.|$))/g, ",");
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A ratio as a percentage with two decimals. */
export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Text in lines of at most `width` columns, broken at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.length - 1;
    if (last >= 0 && lines[last].length + word.length + 1 <= width) lines[last] += ` ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A name and what it is per line, the names in a column of their own. */
export function pairs(lines: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  return lines.map(([name, text]) => `${name.padEnd(width)}${text}\n`).join("");
}

/**
 * A bar of up to `width` columns for value / most, in eighths of a column; a value above 0 is never shown as nothing.
 */
export function bar(value: number, most: number, width: number): string {
  if (value <= 0 || most <= 0) return "";
  const eighths = Math.max(1, Math.round((value / most) * width * 8));
  return "█".repeat(eighths >> 3) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths & 7];
}

/** Rows under a header and a rule, numbers to the right; `align` has a letter per column. No colours: it may be piped. */
export function table(header: readonly string[], align: string, rows: readonly (readonly string[])[]): string {
  const sides: Record<string, HorizontalAlignment> = { l: "left", r: "right" };
  const out = new CliTable({
    head: [...header],
    colAligns: Array.from(align, (letter) => sides[letter]),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    chars: {
      top: "",
      "top-mid": "",
      "top-left": "",
      "top-right": "",
      bottom: "",
      "bottom-mid": "",
      "bottom-left": "",
      "bottom-right": "",
      left: "",
      "left-mid": "",
      right: "",
      "right-mid": "",
      mid: "",
      "mid-mid": "",
      middle: "  ",
    },
  });
  for (const row of rows) out.push([...row]);
  const lines = out.toString().split("\n");
  const width = Math.max(...lines.map((line) => line.trimEnd().length));
  lines.splice(1, 0, "─".repeat(width));
  return lines.map((line) => line.trimEnd()).join("\n");
}
