import { OptionError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import type { Column, MeasureOptions, MeasureProgress, MeasureResult } from "../measure/index.ts";
import { MEASURE_OPTIONS } from "../measure/options.ts";
import {
  type Command,
  type CommandOptions,
  given,
  givenOptions,
  optionName,
  optionsHelp,
  optionsOf,
  outputOption,
  textOption,
  UsageError,
  type Values,
} from "./command.ts";
import { inputOptions } from "./input.ts";
import { Progress } from "./progress.ts";
import { seconds, thousands, wrap } from "./table.ts";

const TEXTS = ["images", "tokenizer", "template", "metaOut"] as const;
const FLAGS = ["header", "restart"] as const;

const options: CommandOptions = {
  model: { kind: "text", argument: "MODEL", about: "the model" },
  output: { kind: "text", short: "o", argument: "OUT", about: "the file of lengths" },
  ...optionsOf(
    MEASURE_OPTIONS,
    Object.entries(MEASURE_OPTIONS).flatMap(([name, spec]) => ("about" in spec ? [name] : [])),
  ),
  quiet: inputOptions.quiet,
};

const help = `Usage: omnibal measure --model MODEL -o OUT [options] DATA...

Works out what each sample of a data set costs the model: tiles or patches for
the vision encoder, tokens for the language model, as the model's own
preprocessing would, without decoding a picture. The other commands read OUT.

DATA is JSON, JSON Lines (.gz too), Parquet, WebDataset tar shards, CSV with
height and width, a meta file of InternVL, or a folder of such files; - is
standard input. Records hold conversations as LLaVA and ShareGPT do, or messages
as OpenAI does. Picture sizes come from the record or, where it has none, from
the first bytes of the picture's file.

MODEL is the folder of a checkpoint (config.json, preprocessor_config.json,
tokenizer.json, chat_template.jinja, ...), the name of a released model such as
internvl2.5 or qwen2.5-vl, with --tokenizer, or a .json file with a rule.

Options:
${optionsHelp({ ...options, help: { kind: "flag", short: "h", about: "this text" } })}

If a run is killed, the same command continues it and writes the same bytes. Bad
samples are -1 in every column. OUT.report.jsonl lists them with reasons.
`;

/** max_pixels=1003520,video.fps=1 as values. */
function settings(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  const found: Record<string, unknown> = {};
  for (const part of text.split(",")) {
    const equals = part.indexOf("=");
    if (equals < 1) throw new UsageError(`--set has ${JSON.stringify(part)}, expected NAME=VALUE`);
    const value = part.slice(equals + 1);
    const isPlain = /^(true|false|null|-?\d+(\.\d+)?(e[+-]?\d+)?)$/i.test(value);
    found[part.slice(0, equals)] = isPlain ? JSON.parse(value.toLowerCase()) : value;
  }
  return found;
}

function partOption(values: Values): readonly [number, number] | undefined {
  const text = textOption(values, "part");
  if (text === undefined) return undefined;
  const [, i, n] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (i === undefined || !(Number(n) >= 1 && Number(i) < Number(n) && Number(n) <= 1_000_000)) {
    throw new UsageError(`--part is ${JSON.stringify(text)}, expected I/N with I from 0 to N - 1`);
  }
  return [Number(i), Number(n)];
}

/** Samples per second and the time left, since the first of several reports. */
export class Pace {
  #first: { readonly at: number; readonly samples: number; readonly share: number } | undefined;

  /** What is said at a time in ms: `12,345/s, 3 min left`. */
  note({ stage, samples, share }: MeasureProgress, now: number): string {
    if (stage !== "measuring") return stage;
    this.#first ??= { at: now, samples, share: share ?? 0 };
    const { at, samples: before, share: shareBefore } = this.#first;
    const spent = (now - at) / 1000;
    if (spent <= 0) return stage;
    const rate = `${thousands(Math.round((samples - before) / spent))}/s`;
    const done = (share ?? 0) - shareBefore;
    return share !== undefined && share < 1 && done > 1e-6
      ? `${rate}, ${clock((spent * (1 - share)) / done)} left`
      : rate;
  }
}

/** Milliseconds between two lines where there is no terminal. */
const QUIET_TIME = 30_000;

/** A bar where somebody watches; else a line now and then. */
class Watcher {
  readonly #bar: Progress;
  readonly #quiet: boolean;
  readonly #pace = new Pace();
  #last = performance.now();

  constructor(quiet: boolean) {
    this.#bar = new Progress("measuring", quiet);
    this.#quiet = quiet;
  }

  update(progress: MeasureProgress): void {
    const { samples, share } = progress;
    const now = performance.now();
    const note = this.#pace.note(progress, now);
    this.#bar.update(share ?? 0, share === undefined ? undefined : 1, note);
    if (this.#quiet || process.stderr.isTTY === true || now - this.#last < QUIET_TIME) return;
    this.#last = now;
    const percent = share === undefined ? "" : ` (${(share * 100).toFixed(1)} %)`;
    process.stderr.write(`${thousands(samples)} samples${percent}, ${note}\n`);
  }

  end(): void {
    this.#bar.end();
  }
}

/** 59 s, 3 min, 2.5 h. */
function clock(time: number): string {
  if (time < 99.5) return `${Math.ceil(time)} s`;
  return time < 6000 ? `${Math.ceil(time / 60)} min` : `${(time / 3600).toFixed(1)} h`;
}

/** Columns of the names that notes begin with, and of all of it. */
const NAMES = 9;
const WIDTH = 80;

/** A name and what it is, on lines that fit a terminal. */
function note(line: string): string {
  const rest = wrap(printable(line.slice(NAMES)), WIDTH - NAMES).join(`\n${" ".repeat(NAMES)}`);
  return `${line.slice(0, NAMES)}${rest}\n`;
}

function summary({ samples, bad, firstBad, resumed, report, counts }: MeasureResult, time: number): string {
  const lines = [
    `samples  ${thousands(samples)}${resumed > 0 ? `, ${thousands(resumed)} of them by an earlier run` : ""}; vit_num counts ${counts}`,
  ];
  if (bad > 0) {
    lines.push(`bad      ${thousands(bad)}: -1 in every column`);
    const texts = firstBad.map((text) => printable(text));
    texts.push(
      `${bad > firstBad.length ? `and ${thousands(bad - firstBad.length)} more, ` : ""}all in ${printable(report)}`,
    );
    if (firstBad.some((text) => text.endsWith(": no such file"))) {
      texts.push("Pictures are looked for below --images ROOT, by default the folder of the data.");
    }
    lines.push(...texts.flatMap((text) => wrap(text, WIDTH - NAMES)).map((text) => " ".repeat(NAMES) + text));
  }
  const rate = Math.round((samples - resumed) / Math.max(time / 1000, 1e-3));
  lines.push(`time     ${seconds(time)}, ${thousands(rate)} samples/s`);
  return `${lines.join("\n")}\n`;
}

export const measureCommand: Command = {
  name: "measure",
  about: "works out tiles or patches and tokens of a data set's samples",
  help,
  options,
  async run(paths, values) {
    if (paths.length === 0) throw new UsageError("no DATA is given (- is standard input)");
    const model = textOption(values, "model");
    if (model === undefined || model === "") throw new UsageError("--model is missing");
    const out = outputOption(values);
    if (out === undefined) throw new UsageError("--output is missing");
    const quiet = values.quiet === true;
    // Loaded here, as no other command needs it.
    const { COLUMNS, measure } = await import("../measure/index.ts");
    const columns = textOption(values, "columns")
      ?.split(",")
      .map((name) => name.trim());
    const strange = columns?.find((name) => !(COLUMNS as readonly string[]).includes(name));
    if (strange !== undefined) {
      throw new UsageError(`--columns has ${JSON.stringify(strange)}, known are ${COLUMNS.join(", ")}`);
    }
    const watcher = new Watcher(quiet);
    const texts = TEXTS.map((name) => [name, textOption(values, optionName(name))] as const);
    const options: MeasureOptions = {
      ...givenOptions(values, MEASURE_OPTIONS, "workers", "content", "exif", "format"),
      ...Object.fromEntries(FLAGS.map((name) => [name, values[name] === true])),
      onProgress: (progress) => watcher.update(progress),
      ...(quiet ? {} : { onNote: (line: string) => process.stderr.write(note(line)) }),
      ...given({
        ...Object.fromEntries(texts),
        template: await templateOption(values),
        set: settings(textOption(values, "set")),
        columns: columns as Column[] | undefined,
        part: partOption(values),
      }),
    };
    const start = performance.now();
    let result: MeasureResult;
    try {
      result = await measure(paths, model, out, options);
    } catch (error) {
      if (error instanceof OptionError) throw new UsageError(error.message);
      throw error;
    } finally {
      watcher.end();
    }
    if (!quiet) process.stderr.write(summary(result, performance.now() - start));
    if (result.samples > 0 && result.bad === result.samples) {
      process.stderr.write(`omnibal: every sample is bad: ${printable(result.firstBad[0])}\n`);
      process.exitCode = 1;
    }
  },
};

/** A format's name as it is, a file's content. */
async function templateOption(values: Values): Promise<string | undefined> {
  const text = textOption(values, "template");
  if (text === undefined || !/[./\\]/.test(text)) return text;
  const { readFile } = await import("node:fs/promises");
  try {
    const content = await readFile(text, "utf8");
    if (!/\.json$/i.test(text)) return content;
    const { chat_template: template } = JSON.parse(content) as { chat_template?: unknown };
    if (typeof template === "string") return template;
  } catch (error) {
    throw new UsageError(`--template ${text}: cannot be read (${(error as Error).message})`);
  }
  throw new UsageError(`--template ${text}: has no chat_template`);
}
