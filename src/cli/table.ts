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

/** A bar of up to `width` columns for value / most, in eighths of a column; something is never shown as nothing. */
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
