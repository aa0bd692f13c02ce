import { columnsOf, type Lengths } from "../core/lengths.ts";
import { printable } from "../core/printable.ts";
import { methodSpec } from "../pack/option-names.ts";
import { COMMON } from "../pack/options.ts";
import { SHAPE } from "../plan/samplers.ts";
import { type StudioView, studioReport } from "../studio/index.ts";
import { type FileFormat, openOutput } from "../write/index.ts";
import { numbersByLoad } from "./by-load.ts";
import {
  type Command,
  type CommandOptions,
  givenOptions,
  numberOption,
  optionsHelp,
  outputOption,
  UsageError,
  type Values,
} from "./command.ts";
import { inputHelp, inputOptions, inputOptionsHelp, readFiles } from "./input.ts";
import { print } from "./print.ts";
import { serveLoopback } from "./serve.ts";

const options = (): CommandOptions => ({
  max: {
    kind: "text",
    argument: "NAME=N,...",
    about: "bounds to open on: vit=9,tokens=4096",
    usual: "what search tries first",
  },
  ranks: SHAPE.ranks,
  method: methodSpec(),
  seed: COMMON.seed,
  output: { kind: "text", short: "o", argument: "OUT", about: "write the page there, as one HTML file" },
  port: { kind: "integer", low: 0, high: 65535, default: 0, about: "the port to serve it on; 0: a free one" },
});

const help = () => `Usage: omnibal studio [options] FILE...

Shows the samples in a browser: drag the bounds, and see the groups, the steps
of the ranks and what a search finds. The page holds the samples and needs
nothing else. Without -o it is served on this machine alone, until Ctrl-C; with
it, the file opens from the disk, and can be passed on.

${inputHelp}

Options:
${optionsHelp(options())}
${inputOptionsHelp}
`;

const htmlFormat: FileFormat<string> = {
  name: "html",
  about: "the page",
  file: (page) => [new TextEncoder().encode(page)],
};

/** Bounds on loads that there are. */
function maxOption(values: Values, lengths: Lengths): Readonly<Record<string, number>> | undefined {
  const max = numbersByLoad(values, "max", 1);
  const names = columnsOf(lengths).map(([name]) => name);
  const strange = Object.keys(max ?? {}).find((name) => !names.includes(name));
  if (strange === undefined) return max;
  throw new UsageError(`--max names ${JSON.stringify(strange)}, the samples have ${names.join(", ")}`);
}

export const studioCommand: Command = {
  name: "studio",
  about: "shows samples in a browser: drag the bounds, watch the ranks",
  get help() {
    return help();
  },
  get options() {
    return { ...inputOptions, ...options() };
  },
  async run(paths, values) {
    const out = outputOption(values);
    const port = numberOption(values, "port", 0, 65535);
    if (out !== undefined && port !== undefined) throw new UsageError("--port is given, but --output writes a file");
    const view: StudioView = {
      ...givenOptions(
        values,
        { ranks: SHAPE.ranks, method: methodSpec(), seed: COMMON.seed },
        "ranks",
        "method",
        "seed",
      ),
    };
    const output = out === undefined ? undefined : openOutput(htmlFormat, out, paths);
    const lengths = await readFiles(paths, values);
    output?.refuseInputs(lengths.files.map(({ path }) => path));
    const max = maxOption(values, lengths as unknown as Lengths);
    const page = await studioReport({ ...lengths }, max === undefined ? view : { ...view, max });
    if (output !== undefined) return output.write(page);
    const { url, server } = await serveLoopback(page, port);
    await print(`${url}\n`);
    if (values.quiet !== true) process.stderr.write(`omnibal: serving ${printable(url)} until Ctrl-C\n`);
    await new Promise((resolve) => server.once("close", resolve));
  },
};
