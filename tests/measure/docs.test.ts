// docs/your-own-data.md: its commands are run in order and print what it says, and its tables are those of the code.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { families, publishedModels } from "../../src/measure/index.ts";
import { shell } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { modelFolder } from "./model-folder.ts";
import { jpeg, png, webp } from "./pictures.ts";
import { tokenizerJson } from "./tokenizers.ts";

const page = readFileSync(fileURLToPath(new URL("../../docs/your-own-data.md", import.meta.url)), "utf8");
const blocks = Array.from(page.matchAll(/^```(\w+)\n(.*?)^```$/gms), ([, language, text]) => ({ language, text }));
const folder = testFolder();

test("from three lines of JSON to a plan, and in JavaScript", () => {
  const checkpoint = modelFolder(join(folder, "Qwen2.5-VL-7B-Instruct"));
  writeFileSync(join(checkpoint, "tokenizer.json"), JSON.stringify(tokenizerJson("qwen3")));
  const preprocessor = join(checkpoint, "preprocessor_config.json");
  // As it was released.
  writeFileSync(preprocessor, readFileSync(preprocessor, "utf8").replace("501760", "12845056"));
  mkdirSync(join(folder, "photos"));
  writeFileSync(join(folder, "photos/table.jpg"), jpeg(1280, 853));
  writeFileSync(join(folder, "photos/street.png"), png(640, 480));
  writeFileSync(join(folder, "photos/street-later.webp"), webp(640, 480));
  const data = blocks.find(({ language }) => language === "json");
  writeFileSync(join(folder, "data.jsonl"), data?.text ?? "");
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(fileURLToPath(new URL("../..", import.meta.url)), join(folder, "node_modules/omnibal"));
  let ran = 0;
  for (const [i, { language, text }] of blocks.entries()) {
    if (language === "js") {
      writeFileSync(join(folder, "snippet.mjs"), text);
      const { out, err } = shell("node snippet.mjs", folder);
      expect(err + out, text).toBe(blocks[i + 1].text);
      ran++;
    }
    if (language !== "console") continue;
    for (const part of text.split(/^\$ /m).slice(1)) {
      const [, command, printed] = /^((?:.*\\\n)*.*)\n([\s\S]*)$/.exec(part) ?? [];
      const { out, err } = shell(command.replaceAll("npx omnibal", "$OMNIBAL"), folder);
      // Which library is installed here is not what a user has.
      const masked = (seen: string) =>
        seen
          .replace(/^time .*$/gm, "time")
          .replace("; @huggingface/tokenizers agrees", "; tokenizers agrees")
          .trimEnd();
      expect(masked(err + out), command).toBe(masked(printed));
      ran++;
    }
  }
  expect(ran).toBe(7);
}, 60_000);

test("the table of models names every family and every name", () => {
  const rows = Array.from(page.matchAll(/^\| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm), (row) =>
    row.slice(1).map((cell) => cell.trim()),
  ).slice(2);
  const code = (names: Iterable<string>) => Array.from(names, (name) => `\`${name}\``).join(", ");
  const expected = families.map((family) => [
    family.about,
    family.counts,
    code([...publishedModels()].filter(([, { family: other }]) => other === family).map(([name]) => name)),
    code(family.checkpoints),
  ]);
  expect(rows).toEqual(expected);
});
