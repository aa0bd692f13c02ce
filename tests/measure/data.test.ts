// Records of every kind of file, against what plain JSON.parse or the records that were written say.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Counted } from "../../src/measure/data/batch.ts";
import { jsonFile } from "../../src/measure/data/json.ts";
import { TarFile } from "../../src/measure/data/tar.ts";
import { loadModel } from "../../src/measure/index.ts";
import { testFolder } from "../folder.ts";
import { lines, modelFolder } from "./model-folder.ts";
import { png, tar } from "./pictures.ts";

const folder = testFolder();
const text = new TextDecoder();

/** Records as texts. */
async function recordsOf(batches: AsyncIterable<Counted>): Promise<string[]> {
  const found: string[] = [];
  for await (const { batch } of batches) {
    if (batch.kind !== "json") throw new Error(`a batch of ${batch.kind}`);
    let from = 0;
    for (const end of batch.ends) {
      found.push(text.decode(batch.bytes.subarray(from, end)));
      from = end;
    }
  }
  return found;
}

const record = fc.dictionary(fc.string({ unit: "grapheme", maxLength: 4 }), fc.jsonValue(), { maxKeys: 4 });

test("lines and lists are cut where JSON.parse cuts them, from any record to any other", async () => {
  const path = join(folder, "records");
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(0, 1, 3),
      fc.boolean(),
      fc.boolean(),
      fc.nat(8),
      fc.nat(8),
      async (records, indent, isList, isPacked, from, to) => {
        const content = isList ? JSON.stringify(records, null, indent) : lines(records);
        writeFileSync(path, isPacked ? gzipSync(content) : content);
        const file = await jsonFile(path, undefined);
        expect(await file.count()).toBe(records.length);
        const seen = await recordsOf(file.batches(from, to));
        expect(seen.map((one) => JSON.parse(one))).toEqual(JSON.parse(JSON.stringify(records)).slice(from, to));
      },
    ),
    { numRuns: 150 },
  );
});

test("a list that ends too early, and something outside of one, are errors that say where", async () => {
  const path = join(folder, "cut.json");
  for (const [content, why] of [
    ['[{"a":1},{"a"', "ends within the list"],
    ['[{"a":1}] x', "outside of the list"],
  ]) {
    writeFileSync(path, content);
    await expect((await jsonFile(path, undefined)).count()).rejects.toThrow(why);
  }
});

test("a tar archive that was cut is an error, between two files too; long names are read", async () => {
  const long = `${"a".repeat(150)}/1`;
  const files = [
    [`${long}.json`, '{"conversations":[]}'],
    [`${long}.png`, png(30, 40)],
    ["2.txt", "A cat."],
  ] as const;
  const path = join(folder, "shard.tar");
  const count = (bytes: Uint8Array) => {
    writeFileSync(path, bytes);
    return new TarFile(path, bytes.length, "ignore").count();
  };
  const whole = tar(files);
  expect(await count(whole)).toBe(2);
  // In the middle of a file, and between two, where only the end mark tells.
  await expect(count(whole.subarray(0, whole.length - 1024 - 700))).rejects.toThrow("cut");
  await expect(count(tar(files, false))).rejects.toThrow("end mark");
});

test("one sample costs the same in every way of writing it down", async () => {
  const model = await loadModel(modelFolder(join(folder, "model")));
  const size = { height: 300, width: 500 };
  const ways = [
    {
      conversations: [
        { from: "human", value: "<image>\nWhat?" },
        { from: "gpt", value: "a cat" },
      ],
      image: "x.png",
      ...size,
    },
    {
      unknown: { deep: [1] },
      images: [{ path: "x.png", ...size }],
      messages: [
        { role: "user", content: "<image>\nWhat?" },
        { role: "assistant", content: "a cat" },
      ],
    },
  ];
  const [first, ...others] = ways.map((way) => model.sample(way));
  expect(first).toMatchObject({ images: 1 });
  for (const other of others) expect(other).toEqual(first);
  const nemo = model.sample({ _text_tokens: 12, mm_inputs_meta: { images_meta: [[300, 500]] } });
  expect(nemo.vit).toBe(first.vit);
});
