// Commands to run next, as a shell takes them.
import { resolve } from "node:path";

/** A word as a shell takes it, and a terminal: control characters only by their number, in a way that bash and zsh know. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (!/\p{Cc}/u.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = word.replaceAll(/[\\']/g, "\\$&");
  return `$'${escaped.replaceAll(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}'`;
}

/** A name for the groups that is not of a file that they are made of. */
export function outputName(files: readonly string[]): string {
  const taken = new Set(files.map((file) => resolve(file).toLowerCase()));
  let name = "groups.json";
  for (let k = 2; taken.has(resolve(name).toLowerCase()); k++) name = `groups-${k}.json`;
  return name;
}

/** How this command line was started: what npx has started is found by npx alone. */
export function program(): string {
  const { npm_lifecycle_event, npm_lifecycle_script = "" } = process.env;
  return npm_lifecycle_event === "npx" && /^'?omnibal\b/.test(npm_lifecycle_script) ? "npx omnibal" : "omnibal";
}
