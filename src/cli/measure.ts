import { availableParallelism } from "node:os";
import { OptionError } from "../core/errors.ts";
import type { Specs } from "../core/options.ts";
import type { Column, MeasureOptions, MeasureProgress, MeasureResult } from "../measure/index.ts";
import { type Command, given, givenOptions, optionsOf, textOption, UsageError, type Values } from "./command.ts";
import { Progress } from "./progress.ts";
import { seconds, thousands } from "./table.ts";

const help = `Usage: omnibal measure --model MODEL -o OUT [options] DATA...

Works out what every sample of a data set costs its model: tiles or patches for
the vision encoder, tokens for the language model, exactly as the model's own
preprocessing would, without decoding a picture. The other commands read OUT.

DATA is JSON, JSON Lines (.gz too), Parquet, WebDataset tar shards, CSV with
height and width, a meta file of InternVL, a folder of such files, or -. Records
have conversations as LLaVA and ShareGPT have them, or messages as OpenAI has
them. Sizes are taken from the record where it has them, else from the beginning
of the picture's file.

MODEL is the folder of a checkpoint (config.json, preprocessor_config.json,
tokenizer.json, chat_template.jinja, ...), the name of a released model such as
internvl2.5 or qwen2.5-vl, with --tokenizer, or a .json file with a rule.

Options:
  --model MODEL       the model
  --tokenizer DIR     the folder of its tokenizer, where MODEL has none
  --images ROOT       pictures are below ROOT, and none is read elsewhere
                      (default: the folder of each file of DATA)
  --template T        a chat format by name (internvl2_5, internlm2-chat,
                      phi3-chat, Hermes-2, paligemma), or a file with a template
  --content HOW       hand contents to the template as parts, or as text
                      (default auto: as it takes them)
  --exif HOW          transpose pictures as their EXIF says, or ignore it
                      (default: as the model's own loader does)
  --set NAME=VALUE    a parameter in place of the model's, such as
                      max_pixels=1003520, or video.fps=1 for videos; repeatable
                      with commas between
  -o, --output OUT    the file of lengths
  --format FORMAT     jsonl, json, npy, parquet (default: by OUT's ending)
  --columns LIST      what is written (default vit_num,token_num,image_flags,
                      images,frames,labels,vit_attention)
  --header            a first line in JSON Lines that says what the columns are
  --meta-out FILE     a meta file of InternVL again, with token_lengths added
  --part I/N          part I, from 0 on, of N alike; parts join end to end
  --workers N         threads (default: one for each core; 0: none beside this)
  --restart           forget what an unfinished run has left
  -q, --quiet         nothing on standard error but errors
  -h, --help          this text

A run that was killed goes on where it was when it is started again in the same
way, and writes the same bytes. Bad samples are -1 in every column and listed,
with reasons, in OUT.report.jsonl.
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

/** A bar where somebody watches; else a line now and then. */
class Watcher {
  readonly #bar: Progress;
  readonly #quiet: boolean;
  readonly #start = performance.now();
  #told = performance.now();

  constructor(quiet: boolean) {
    this.#bar = new Progress("measuring", quiet);
    this.#quiet = quiet;
  }

  update({ stage, samples, before, share }: MeasureProgress): void {
    const now = performance.now();
    const spent = (now - this.#start) / 1000;
    const rate = (samples - before) / Math.max(spent, 1e-3);
    const left = share !== undefined && share > 0.001 && share < 1 ? (spent * (1 - share)) / share : undefined;
    const note =
      stage === "measuring"
        ? `${thousands(Math.round(rate))}/s${left === undefined ? "" : `, ${clock(left)} left`}`
        : stage;
    this.#bar.update(share ?? 0, share === undefined ? undefined : 1, note);
    if (this.#quiet || process.stderr.isTTY === true || now - this.#told < 30_000) return;
    this.#told = now;
    process.stderr.write(`${thousands(samples)} samples, ${note}\n`);
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

function summary({ samples, bad, firstBad, resumed, report, counts }: MeasureResult, time: number): string {
  const lines = [
    `samples  ${thousands(samples)}${resumed > 0 ? `, ${thousands(resumed)} of them by an earlier run` : ""}; vit_num counts ${counts}`,
  ];
  if (bad > 0) {
    lines.push(`bad      ${thousands(bad)}: -1 in every column`);
    for (const text of firstBad) lines.push(`         ${text}`);
    if (bad > firstBad.length) lines.push(`         and ${thousands(bad - firstBad.length)} more, all in ${report}`);
  }
  const rate = Math.round((samples - resumed) / Math.max(time / 1000, 1e-3));
  lines.push(`time     ${seconds(time)}, ${thousands(rate)} samples/s`);
  return `${lines.join("\n")}\n`;
}

/** What it takes as a number or a name. */
const MEASURE = {
  workers: { kind: "integer", low: 0, high: 512 },
  content: { kind: "choice", names: ["auto", "parts", "text"] },
  exif: { kind: "choice", names: ["transpose", "ignore"] },
} as const satisfies Specs;

export const measureCommand: Command = {
  name: "measure",
  about: "works out tiles or patches and tokens of a data set's samples",
  help,
  options: {
    ...optionsOf(MEASURE),
    model: { kind: "text" },
    tokenizer: { kind: "text" },
    images: { kind: "text" },
    template: { kind: "text" },
    set: { kind: "text" },
    output: { kind: "text", short: "o" },
    format: { kind: "text" },
    columns: { kind: "text" },
    header: { kind: "flag" },
    "meta-out": { kind: "text" },
    part: { kind: "text" },
    restart: { kind: "flag" },
    quiet: { kind: "flag", short: "q" },
  },
  async run(paths, values) {
    if (paths.length === 0) throw new UsageError("no DATA is given (- is standard input)");
    const model = textOption(values, "model");
    if (model === undefined || model === "") throw new UsageError("--model is missing");
    const out = textOption(values, "output");
    if (out === undefined || out === "") throw new UsageError("--output is missing");
    const quiet = values.quiet === true;
    // Loaded here, as no other command needs it.
    const { COLUMNS, measure } = await import("../measure/index.ts");
    const columns = textOption(values, "columns")?.split(",");
    const strange = columns?.find((name) => !(COLUMNS as readonly string[]).includes(name));
    if (strange !== undefined) {
      throw new UsageError(`--columns has ${JSON.stringify(strange)}, known are ${COLUMNS.join(", ")}`);
    }
    const watcher = new Watcher(quiet);
    const asked = givenOptions(values, MEASURE, "workers", "content", "exif");
    const options: MeasureOptions = {
      workers: asked.workers ?? availableParallelism(),
      header: values.header === true,
      restart: values.restart === true,
      onProgress: (progress) => watcher.update(progress),
      ...(quiet ? {} : { onNote: (line: string) => process.stderr.write(`${line}\n`) }),
      ...given({
        tokenizer: textOption(values, "tokenizer"),
        images: textOption(values, "images"),
        template: await templateOption(values),
        content: asked.content,
        exif: asked.exif,
        set: settings(textOption(values, "set")),
        format: textOption(values, "format"),
        columns: columns as Column[] | undefined,
        metaOut: textOption(values, "meta-out"),
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
      process.stderr.write(`omnibal: every sample is bad: ${result.firstBad[0]}\n`);
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
