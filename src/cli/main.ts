#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { OmnibalError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { type Command, parserOptions, UsageError } from "./command.ts";
import { commands } from "./commands.ts";
import { print } from "./print.ts";
import { answerSignals } from "./signals.ts";

const help = `Usage: omnibal COMMAND [options] FILE...

Packs vision-language training samples into groups bounded on image tiles and
tokens, and deals the groups out to data-parallel ranks so that none waits long.

Commands:
${commands.map(({ name, about }) => `  ${name.padEnd(10)}${about}`).join("\n")}

Options:
  -h, --help      this text; after a command, that command's
  -V, --version   the version

Exit codes: 0 done, 1 bad input or output (search: no bounds found), 2 wrong
usage, 130 interrupted.
`;

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** parseArgs explains at length; its first sentence says what is wrong, except for a value that starts with a dash. */
function usageOf(error: Error): UsageError {
  const { message } = error;
  // What was typed may contain full stops and line breaks.
  const unknown = /^Unknown option '(.*)'(\. To specify|$)/s.exec(message);
  if (unknown !== null) return new UsageError(`unknown option '${unknown[1]}'`);
  const ambiguous = /^Option '(.*)' argument is ambiguous/s.exec(message);
  if (ambiguous !== null) return new UsageError(`option '${ambiguous[1]}' needs a value, one without a dash in front`);
  const [sentence] = message.split(/[.\n]/, 1);
  return new UsageError(sentence.charAt(0).toLowerCase() + sentence.slice(1));
}

async function runCommand(command: Command, args: string[]): Promise<void> {
  const options = parserOptions({ ...command.options, help: { kind: "flag", short: "h" } });
  const parse = () => {
    try {
      return parseArgs({
        args,
        options,
        allowPositionals: true,
        tokens: true,
      });
    } catch (error) {
      throw usageOf(error as Error);
    }
  };
  const { values, positionals, tokens } = parse();
  if (values.help === true) return print(command.help);
  const own = values as Record<string, string | boolean | undefined>;
  for (const token of tokens) {
    if (token.kind !== "option" || token.inlineValue !== true || token.rawName.startsWith("--")) continue;
    // -o=x means --output=x; the last one of several counts.
    const { name, value } = token;
    if (value.startsWith("=") && own[name] === value) own[name] = value.slice(1);
  }
  return command.run(positionals, own);
}

async function main(args: string[]): Promise<void> {
  const [first, ...rest] = args;
  if (first === undefined) throw new UsageError("no command is given");
  if (first === "-h" || first === "--help") return print(help);
  if (first === "-V" || first === "--version") return print(`${version()}\n`);
  const command = commands.find(({ name }) => name === first);
  if (command !== undefined) return runCommand(command, rest);
  throw new UsageError(first.startsWith("-") ? `unknown option '${first}'` : `unknown command '${first}'`);
}

/** Errors of the file system (a full disk, no permission) are shown like those of this package; any others are bugs. */
function isExpected(error: unknown): error is Error {
  return error instanceof OmnibalError || (error instanceof Error && "syscall" in error);
}

answerSignals();

const args = process.argv.slice(2);
try {
  await main(args);
} catch (error) {
  if (error instanceof UsageError) {
    const command = commands.find(({ name }) => name === args[0]);
    process.stderr.write(`omnibal: ${error.message} (see omnibal ${command ? `${command.name} ` : ""}--help)\n`);
    process.exitCode = 2;
  } else if (isExpected(error)) {
    process.stderr.write(`omnibal: ${printable(error.message)}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
