// Data made to break the run, or to read what is none of its business: an error or a bad sample, and the rest measured.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { loadModel, type MeasureOptions, measure } from "../../src/measure/index.ts";
import { testFolder } from "../folder.ts";
import { modelFolder } from "./model-folder.ts";
import { png, tar } from "./pictures.ts";

const folder = testFolder();
const checkpoint = modelFolder(join(folder, "model"));
mkdirSync(join(folder, "pictures"));
writeFileSync(join(folder, "pictures/a.png"), png(500, 300));

let runs = 0;

async function run(content: string | Uint8Array, ending: string, options: MeasureOptions = {}) {
  const out = join(folder, `out${runs++}.jsonl`);
  writeFileSync(`${out}.data${ending}`, content);
  const { bad, samples } = await measure([`${out}.data${ending}`], checkpoint, out, { workers: 0, ...options });
  const lines = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);
  const [, ...problems] = lines(`${out}.report.jsonl`).map((line) => JSON.parse(line) as { why: string });
  const rows = lines(out).map((line) => JSON.parse(line) as { vit_num: number; token_num: number });
  expect(rows.filter(({ vit_num, token_num }) => vit_num === -1 && token_num === -1).length).toBe(bad);
  expect(rows.length).toBe(samples);
  return { rows, why: problems.map(({ why }) => why), isBad: rows.map(({ token_num }) => token_num === -1) };
}

const sample = (more: object = {}) =>
  JSON.stringify({
    conversations: [
      { from: "human", value: "What?" },
      { from: "gpt", value: "a cat" },
    ],
    ...more,
  });
const good = sample();

describe("a million levels", () => {
  const deep = `${"[".repeat(1e6)}${"]".repeat(1e6)}`;
  const objects = `${'{"a":'.repeat(1e6)}1${"}".repeat(1e6)}`;
  const places = {
    "in a field that nobody reads": `{"x":${deep},${good.slice(1)}`,
    "as the turns": `{"conversations":${deep}}`,
    "as a turn": `{"messages":[${objects}]}`,
    "as a text": `{"messages":[{"role":"user","content":${deep}}]}`,
    "as a picture": `{"image":${objects},${good.slice(1)}`,
    "as a size": `{"images":[{"height":${deep},"width":5}],${good.slice(1)}`,
    "as tools": `{"tools":${objects},${good.slice(1)}`,
    "as a member of a turn": `{"messages":[{"role":"user","content":"x","tool_calls":${deep}}]}`,
    "without an end": `{"x":${"[".repeat(1e6)}`,
    "with NaN at the bottom": `{"x":${"[".repeat(1e6)}NaN${"]".repeat(1e6)}}`,
  };

  test("in lines: that record is bad or measured, the others are measured", async () => {
    const { isBad, why } = await run(`${[good, ...Object.values(places), good].join("\n")}\n`, ".jsonl");
    expect([isBad[0], isBad[isBad.length - 1]]).toEqual([false, false]);
    for (const [i, place] of Object.keys(places).entries()) {
      // What nobody reads may be as deep as the engine's own parser goes.
      if (place.startsWith("in a field")) continue;
      expect([place, isBad[i + 1]]).toEqual([place, true]);
    }
    for (const text of why) expect(text.length).toBeLessThanOrEqual(1000);
  });

  test("in a list, in a tar archive, in a column of JSON", async () => {
    const turns = places["as a turn"];
    expect((await run(`[${good},${turns},${good}]`, ".json")).isBad).toEqual([false, true, false]);
    const shard = tar([
      ["0.json", good],
      ["1.json", turns],
      ["2.json", good],
    ]);
    expect((await run(shard, ".tar")).isBad).toEqual([false, true, false]);
    const data = [JSON.stringify(JSON.parse(good).conversations), `[${objects}]`, deep];
    const parquet = parquetWriteBuffer({ columnData: [{ name: "conversations", data, type: "STRING" }] });
    expect((await run(new Uint8Array(parquet), ".parquet")).isBad).toEqual([false, true, true]);
  });

  test("in the model's files, and in a meta file", async () => {
    const model = modelFolder(join(folder, "deep"));
    writeFileSync(join(model, "config.json"), `{"model_type":"qwen2_5_vl","vision_config":${objects}}`);
    expect((await loadModel(model)).family.name).toBe("qwen2-vl");
    writeFileSync(join(model, "preprocessor_config.json"), `{"patch_size":${deep}}`);
    await expect(loadModel(model)).rejects.toThrow(/^preprocessor_config\.json: patch_size is .{0,100}, expected/);
    await expect(run(`{"entry":${objects}}`, ".json")).resolves.toMatchObject({ isBad: [true] });
  });
});

describe("a record of more than 64 MiB", () => {
  const long = sample({ x: "y".repeat(70 << 20) });

  test.each([
    ["lines", ".jsonl", `${good}\n${long}\n${good}`],
    ["packed lines", ".jsonl.gz", gzipSync(`${good}\n${long}\n${good}`, { level: 1 })],
    ["a list", ".json", `[${good},${long},${good}]`],
    ["a tar archive", ".tar", tar([["0.json", good], ["1.json", long], ["2.json", good]])],
  ] as const)("%s", async (_form, ending, content) => {
    const { isBad, why } = await run(content, ending);
    expect(isBad).toEqual([false, true, false]);
    expect(why[0]).toContain("longer than 64 MiB");
  }); // biome-ignore format: files

  test("in CSV: an error with the line", async () => {
    await expect(run(`height,width,text\n5,5,"${"y".repeat(70 << 20)}"\n`, ".csv")).rejects.toThrow("line ");
  });
});

test("a text of 30 MB is counted, without a stack or a table that it could overflow", async () => {
  const text = ["a".repeat(10 << 20), "é ".repeat(5 << 20), "<|im_start|>".repeat(800_000)].join("\n");
  const { rows } = await run(`${JSON.stringify({ text })}\n`, ".jsonl");
  expect(rows[0].token_num).toBeGreaterThan(10 << 20);
});

describe("pictures that are none", () => {
  const of = (image: unknown) => sample({ image });

  test("places outside of the root, links, pipes, folders, addresses", async () => {
    const root = join(folder, "inside");
    mkdirSync(root);
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(folder, "outside/secret.png"), png(50, 60));
    symlinkSync(join(folder, "outside/secret.png"), join(root, "link.png"));
    symlinkSync(join(folder, "outside"), join(root, "folder"));
    symlinkSync("loop.png", join(root, "loop.png"));
    symlinkSync("../inside/deep", join(root, "deep"));
    spawnSync("mkfifo", [join(root, "pipe.png")]);
    const paths = [
      ...["../outside/secret.png", "x/../../outside/secret.png", join(folder, "outside/secret.png")],
      ...["link.png", "folder/secret.png", "folder/../outside/secret.png", "loop.png", "deep/x.png"],
      ...["", ".", "..", "/", "/etc/passwd", "pipe.png", "/dev/zero", "/proc/self/environ"],
      ...["a\0b.png", "x".repeat(5000), `${"../".repeat(1000)}etc/passwd`, `file://${folder}/outside/secret.png`],
      ...["http://127.0.0.1/a.png", "data:image/png;base64,AAAA", "data:image/png;base64,!!!!", "~/a.png"],
    ];
    const { isBad, why } = await run(paths.map((path) => `${of(path)}\n`).join(""), ".jsonl", { images: root });
    // No picture at all is the sample's own affair.
    expect(isBad).toEqual(paths.map((path) => path !== ""));
    // Nothing of a file's content, nor of the folders above, is said.
    for (const text of why) expect(text).not.toMatch(/root:|PATH=|\p{Cc}/u);
    expect(why.filter((text) => text.includes("outside of the folder of pictures")).length).toBeGreaterThan(5);
  });

  test("values of every kind in place of a path, and sizes that are none", async () => {
    const values = [7, true, {}, { path: 7 }, [[]], [null], { bytes: "x", path: null }, { url: { url: {} } }];
    const sizes = [0, -1, 1.5, "5", null, 2 ** 31, 1e308].map((height) => [{ height, width: 5 }]);
    const all = [...values, ...sizes];
    const { isBad } = await run(all.map((image) => `${of(image)}\n`).join(""), ".jsonl");
    expect(isBad).toEqual(all.map(() => true));
  });
});
