// What the table of hosts is made of, and how a program is found and run.
import { execFile, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Question, Report } from "./answer.ts";

export interface Host {
  readonly name: string;
  /** How the module is to be compiled there, where that is what the row is about. */
  readonly compiled?: Report["compiled"];
  /** Where the host is not installed: how to get it. */
  missing(): string | undefined;
  ask(question: Question): Promise<Report>;
}

/** The first of these programs on PATH; `variable` names the environment variable that says where it is instead. */
export function findProgram(variable: string, names: readonly string[]): string | undefined {
  const given = process.env[variable];
  if (given !== undefined && given !== "") return given;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of names) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {}
    }
  }
  return undefined;
}

/** Whether a command runs and ends well. */
export function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

const execute = promisify(execFile);

/** Runs a command to its end and returns what it printed; an error carries what it complained of. */
export async function print(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const { stdout } = await execute(command, args, { env: { ...process.env, ...env }, maxBuffer: 1 << 28 });
  return stdout;
}

/** The report that a command prints when it is asked by its last argument. */
export async function askCommand(
  command: string,
  args: readonly string[],
  question: Question,
  env: Record<string, string> = {},
): Promise<Report> {
  return JSON.parse(await print(command, [...args, JSON.stringify(question)], env)) as Report;
}
