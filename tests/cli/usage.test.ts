import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluateCommand } from "../../src/cli/evaluate.ts";
import { modelCommand } from "../../src/cli/model.ts";
import { packCommand } from "../../src/cli/pack.ts";
import { planCommand } from "../../src/cli/plan.ts";
import { searchCommand } from "../../src/cli/search.ts";
import { statsCommand } from "../../src/cli/stats.ts";
import { methods } from "../../src/pack/methods.ts";
import { formats } from "../../src/write/formats.ts";
import { omnibal, widest } from "./run.ts";

const listed = (entries: readonly { readonly name: string }[]) => entries.map(({ name }) => name).join(", ");

const bounds = ["--max-vit", "9", "--max-tokens", "4096"];
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

describe("help", () => {
  test.each([
    [["--help"]],
    [["-h"]],
    [["stats", "--help"]],
    [["pack", "-h"]],
    [["search", "-h"]],
    [["evaluate", "-h"]],
    [["plan", "-h"]],
    [["model", "-h"]],
    [["pack", "a", "--help", "--rounds=1"]],
  ])("%j is on standard output and fits 80 columns", (args) => {
    const { code, out, err } = omnibal(args);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^Usage: omnibal /);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test.each([statsCommand, searchCommand, packCommand, evaluateCommand, planCommand, modelCommand])(
    "every option of $name is in its help",
    ({ name, options }) => {
      const { out } = omnibal([name, "--help"]);
      for (const option of [...Object.keys(options), "help"]) expect(out).toMatch(new RegExp(`--${option}\\s`));
      expect(omnibal(["--help"]).out).toContain(`\n  ${name} `);
    },
  );

  test("--version", () => {
    expect(omnibal(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });
});

describe("wrong usage: code 2 and one line", () => {
  test.each([
    [[], "no command is given (see omnibal --help)"],
    [["plot"], "unknown command 'plot' (see omnibal --help)"],
    [["--plot"], "unknown option '--plot' (see omnibal --help)"],
    [["stats"], "no FILE is given (- is standard input) (see omnibal stats --help)"],
    [["stats", "--max-vit", "9", "a"], "unknown option '--max-vit' (see omnibal stats --help)"],
    [["stats", "--json=1", "a"], "option '--json' does not take an argument (see omnibal stats --help)"],
    [["stats", "--vit-field=", "a"], "--vit-field is empty, expected a name (see omnibal stats --help)"],
    [
      ["stats", "--vit-field=token_num", "a"],
      '--vit-field and --token-field are both "token_num", expected two names (see omnibal stats --help)',
    ],
    [
      ["stats", "-", "a", "-"],
      '"-" is given twice, but the standard input can be read once only (see omnibal stats --help)',
    ],
    [["stats", "--root=", "a"], "--root is empty, expected a folder (see omnibal stats --help)"],
    [["stats", "--a.b\nc", "a"], "unknown option '--a.b\\x0ac' (see omnibal stats --help)"],
    [["pack", "a", "--max-tokens=9"], "--max-vit is missing (see omnibal pack --help)"],
    [["pack", "a", "--max-vit=9"], "--max-tokens is missing (see omnibal pack --help)"],
    [["pack", ...bounds], "no FILE is given (- is standard input) (see omnibal pack --help)"],
    [["pack", "a", "--max-vit"], "option '--max-vit <value>' argument missing (see omnibal pack --help)"],
    [
      ["pack", "a", "--max-vit", "-9"],
      "option '--max-vit' needs a value, one without a dash in front (see omnibal pack --help)",
    ],
    [
      ["pack", "a", "--max-vit=0", "--max-tokens=9"],
      '--max-vit is "0", expected a whole number from 1 to 2147483647 (see omnibal pack --help)',
    ],
    [
      ["pack", "a", ...bounds, "--rounds=1e3"],
      '--rounds is "1e3", expected a whole number from 1 to 2147483647 (see omnibal pack --help)',
    ],
    [
      ["pack", "a", ...bounds, "--seed=4294967296"],
      '--seed is "4294967296", expected a whole number from 0 to 4294967295 (see omnibal pack --help)',
    ],
    [
      ["pack", "a", ...bounds, "--min-vit="],
      '--min-vit is "", expected a whole number from 0 to 2147483647 (see omnibal pack --help)',
    ],
    [
      ["pack", "a", ...bounds, "--format=xml"],
      `--format is "xml", expected one of ${listed(formats)} (see omnibal pack --help)`,
    ],
    [
      ["pack", "a", ...bounds, "--method=best"],
      `--method is "best", expected one of ${listed(methods)} (see omnibal pack --help)`,
    ],
    [
      ["pack", "a", ...bounds, "--method=balanced", "--rounds=3"],
      "--rounds is given, but it is for --method isf (see omnibal pack --help)",
    ],
    [
      ["pack", "a", ...bounds, "--effort=2"],
      "--effort is given, but it is for --method balanced (see omnibal pack --help)",
    ],
    [
      ["pack", "a", ...bounds, "--method=balanced", "--effort=4"],
      '--effort is "4", expected a whole number from 0 to 3 (see omnibal pack --help)',
    ],
    [
      ["pack", "a", ...bounds, "--format=npy"],
      "--format npy makes a folder: name it with -o (see omnibal pack --help)",
    ],
  ])("%j", (args, line) => {
    expect(omnibal(args)).toEqual({ code: 2, out: "", err: `omnibal: ${line}\n` });
  });
});
