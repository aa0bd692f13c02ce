// Prints a bench's table and keeps it in bench/RESULTS.md, one section per bench, replaced when it runs again.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, type } from "node:os";

const FILE = new URL("RESULTS.md", import.meta.url);
const TITLE = "# Measured\n\nWritten by `npm run bench`. Machines differ: trust the ratios.\n";

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The machine and the versions that figures belong to. */
export function machine(): string {
  const [cpu] = cpus();
  return `${cpu.model.trim()}, ${cpus().length} cores, ${type()} ${release()}, Node ${process.versions.node} (V8 ${process.versions.v8})`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

/** Prints the section and writes it into RESULTS.md in the place of the one of the same name. */
export function publish(
  name: string,
  about: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  notes: readonly string[] = [],
): void {
  const body = `## ${name}\n\n${about}\n\n${table(head, rows)}\n\n${notes.map((n) => `- ${n}\n`).join("")}\n${machine()}\n`;
  console.log(body);
  const old = existsSync(FILE) ? readFileSync(FILE, "utf8") : TITLE;
  const [title, ...sections] = old.split(/\n(?=## )/);
  const others = sections.map((s) => s.trimEnd()).filter((s) => !s.startsWith(`## ${name}\n`));
  const at = sections.findIndex((s) => s.startsWith(`## ${name}\n`));
  others.splice(at === -1 ? others.length : at, 0, body.trimEnd());
  writeFileSync(FILE, `${[title.trimEnd(), ...others].join("\n\n")}\n`);
}
