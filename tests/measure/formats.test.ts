// Every format of data, read by a whole run and held against the same samples measured one by one.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { COLUMNS, loadModel, type MeasureOptions, measure } from "../../src/measure/index.ts";
import { readLengths } from "../../src/read/index.ts";
import { testFolder } from "../folder.ts";
import { npy } from "../npy-bytes.ts";
import { lines, modelFolder } from "./model-folder.ts";
import { jpeg, png, tar, webp } from "./pictures.ts";

const folder = testFolder();
const checkpoint = modelFolder(join(folder, "model"));
const model = await loadModel(checkpoint);

type Row = Readonly<Record<(typeof COLUMNS)[number], number>>;
const BAD = Object.fromEntries(COLUMNS.map((name) => [name, -1]));

function put(path: string, content: string | Uint8Array): string {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

let runs = 0;

/** What a run writes of files that are in the folder, and the reasons for bad samples. */
async function run(paths: string | readonly string[], options: MeasureOptions = {}, name = checkpoint) {
  const out = join(folder, `out${runs++}.jsonl`);
  await measure(
    [paths].flat().map((path) => (path === "-" ? path : join(folder, path))),
    name,
    out,
    { workers: 0, ...options },
  );
  const read = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);
  const [report, ...problems] = read(`${out}.report.jsonl`).map((line) => JSON.parse(line));
  return { rows: read(out).map((line) => JSON.parse(line) as Row), report, why: problems.map(({ why }) => why) };
}

/** The row of a sample by itself, whose record has the sizes of its pictures. */
function row(record: unknown): Row {
  const { vit, tokens, imageFlags, images, frames, labels, attention } = model.sample(record);
  return {
    ...{ vit_num: vit, token_num: tokens, image_flags: imageFlags },
    ...{ images, frames, labels, vit_attention: attention },
  };
}

const PICTURES = {
  "a.png": { height: 300, width: 500 },
  "b.jpg": { height: 480, width: 640 },
  "c.webp": { height: 99, width: 700 },
} as const;
for (const [name, { height, width }] of Object.entries(PICTURES)) {
  const make = { png, jpg: jpeg, webp }[name.split(".")[1] as "png" | "jpg" | "webp"];
  put(`pictures/${name}`, make(width, height));
}
const [a, b, c] = Object.values(PICTURES);
const pictures = { images: join(folder, "pictures") };

const human = (value: string) => ({ from: "human", value });
const gpt = (value: string) => ({ from: "gpt", value });
const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });

const one = row({ images: [a], messages: [user("<image>\nWhat?"), assistant("the cat")] });
const two = row({
  images: [a, b],
  messages: [user("<image> and <image>: which?"), assistant("the cat"), user("And?"), assistant("a picture")],
});
const none = row({ messages: [user("What is a cat?"), assistant("the picture of a cat")] });
const system = row({
  images: [c],
  messages: [{ role: "system", content: "Be short." }, user("<image>\nWhat?"), assistant("the cat")],
});
const clip = { num_frames: 24, height: 200, width: 300, fps: 8 };
const video = row({ videos: [clip], messages: [user("<video>\nWhat?"), assistant("the cat")] });

test("the samples differ, and are not bad", () => {
  const all = [one, two, none, system, video];
  expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(5);
  expect(all.every(({ token_num, labels }) => token_num > labels && labels > 0)).toBe(true);
  expect([one.images, two.images, none.images, video.frames > 0]).toEqual([1, 2, 0, true]);
});

describe("LLaVA's and ShareGPT's conversations", () => {
  const records = [
    // Fields in any order, and others that nobody asked for.
    { conversations: [human("<image>\nWhat?"), gpt("the cat")], more: { deep: [1, { x: null }] }, image: "a.png" },
    {
      id: 7,
      image: ["a.png", "b.jpg"],
      conversations: [human("<image> and <image>: which?"), gpt("the cat"), human("And?"), gpt("a picture")],
    },
    { conversations: [human("What is a cat?"), gpt("the picture of a cat")] },
    {
      images: ["c.webp"],
      conversations: [{ from: "system", value: "Be short." }, human("<image>\nWhat?"), gpt("the cat")],
    },
    { video: { path: "v.mp4", ...clip }, conversations: [human("<video>\nWhat?"), gpt("the cat")] },
    // Lists of sizes beside the list of paths: no file is opened.
    {
      image: ["gone.png", "gone.jpg"],
      height: [a.height, b.height],
      width: [a.width, b.width],
      conversations: [human("<image> and <image>: which?"), gpt("the cat"), human("And?"), gpt("a picture")],
    },
    // Frames that are kept as pictures.
    { videos: [["a.png", "a.png"]], conversations: [human("<video>\nWhat?"), gpt("the cat")] },
    { image: "gone.png", conversations: [human("<image>\nWhat?"), gpt("the cat")] },
    { image: "a.png", conversations: [human("<image><image>"), gpt("the cat")] },
  ];
  const frames = row({ videos: [{ frames: [a, a] }], messages: [user("<video>\nWhat?"), assistant("the cat")] });
  const expected = [one, two, none, system, video, two, frames, BAD, one];
  const why = [expect.stringContaining('"gone.png": no such file')];

  test.each([
    ["a list", "llava.json", JSON.stringify(records, null, 2)],
    ["a list on one line, packed", "llava.json.gz", gzipSync(JSON.stringify(records))],
    ["lines", "llava.jsonl", lines(records)],
    ["lines, packed, with a mark and blank lines", "b.jsonl.gz", gzipSync(`\ufeff\n${lines(records)}\n  \r\n`)],
    ["lines under another name", "llava.txt", lines(records)],
  ])("%s", async (_form, name, content) => {
    put(name, content);
    const seen = await run(name, pictures);
    expect(seen.rows.slice(0, -1)).toEqual(expected.slice(0, -1));
    expect(seen.why.slice(0, 1)).toEqual(why);
  });

  test("from standard input", async () => {
    async function* stdin() {
      const bytes = new TextEncoder().encode(lines(records.slice(0, 4)));
      for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
    }
    const { rows, report } = await run("-", { ...pictures, stdin: stdin() });
    expect(rows).toEqual(expected.slice(0, 4));
    // It is read once: nothing of it can be looked at before.
    expect(report.report.counted).toBe("by tables, unchecked");
  });
});

describe("messages as OpenAI has them", () => {
  const image = (value: object) => ({ type: "image", ...value });
  const records = [
    { messages: [user([image({ path: "a.png" }), { type: "text", text: "\nWhat?" }]), assistant("the cat")] },
    {
      messages: [
        user([
          { type: "image_url", image_url: { url: "a.png" } },
          { type: "text", text: " and " },
          { type: "image_url", image_url: "b.jpg" },
          { type: "text", text: ": which?" },
        ]),
        assistant([{ type: "text", text: "the cat" }]),
        user("And?"),
        assistant("a picture"),
      ],
    },
    { messages: [user("What is a cat?"), assistant("the picture of a cat")] },
    // Pictures in a list beside: the parts say where they belong.
    {
      messages: [
        { role: "system", content: "Be short." },
        user([{ type: "image" }, { type: "text", text: "\nWhat?" }]),
        assistant("the cat"),
      ],
      images: [{ path: "c.webp" }],
    },
    {
      messages: [
        user([
          { type: "video", video: clip },
          { type: "text", text: "\nWhat?" },
        ]),
        assistant("the cat"),
      ],
    },
    // The bytes themselves.
    {
      messages: [
        user([
          {
            type: "image_url",
            image_url: { url: `data:image/png;base64,${Buffer.from(png(a.width, a.height)).toString("base64")}` },
          },
          { type: "text", text: "\nWhat?" },
        ]),
        assistant("the cat"),
      ],
    },
    { messages: [user([{ type: "audio", audio: "x.wav" }]), assistant("the cat")] },
  ];

  test("typed parts, strings, lists beside them, data URLs", async () => {
    put("messages.jsonl", lines(records));
    const { rows, why } = await run("messages.jsonl", pictures);
    // Parts are rendered by the template, marks in a text by place: the same text here.
    expect(rows).toEqual([one, two, none, system, video, one, BAD]);
    expect(why).toEqual([expect.stringContaining('the type "audio"')]);
  });
});

describe("InternVL's meta file", () => {
  put(
    "first.jsonl",
    lines([
      { image: "a.png", conversations: [human("<image>\nWhat?"), gpt("the cat")] },
      { conversations: [human("What is a cat?"), gpt("the picture of a cat")] },
      { image: "gone.png", conversations: [human("<image>\nWhat?"), gpt("the cat")] },
    ]),
  );
  put(
    "second.jsonl",
    lines(
      Array.from({ length: 10 }, (_, i) => ({
        image: ["b.jpg", "c.webp"],
        conversations: [human("<image>\n<image>\nWhat?"), gpt("the cat ".repeat(i))],
      })),
    ),
  );
  const meta = {
    twice: { root: "pictures", annotation: "first.jsonl", data_augment: false, repeat_time: 2, length: 3 },
    half: {
      root: "pictures",
      annotation: "second.jsonl",
      data_augment: true,
      max_dynamic_patch: 6,
      repeat_time: 0.55,
      length: 10,
    },
  };
  put("meta.json", JSON.stringify(meta, null, 2));
  const args = { tokenizer: checkpoint, metaOut: join(folder, "new.json") };

  test("roots, repetitions above and below 1, tiles of its own, and token_lengths", async () => {
    const { rows, report, why } = await run("meta.json", args, "internvl2.5");
    expect(rows.length).toBe(2 * 3 + 5);
    expect(rows.slice(3, 6)).toEqual(rows.slice(0, 3));
    // A text alone gets an empty tile, which is none of the sample's own.
    expect(rows.map(({ vit_num, image_flags }) => [vit_num, image_flags]).slice(0, 3)).toEqual([
      [7, 7],
      [1, 0],
      [-1, -1],
    ]);
    // Three tiles for each of two pictures: 640 x 480 is one, 700 x 99 three and a thumbnail.
    expect(rows.slice(6).map(({ vit_num }) => vit_num)).toEqual(Array(5).fill(5));
    expect(report).toMatchObject({ samples: 11, bad: 2 });
    expect(report.sets).toEqual([
      { set: "twice", first: 0, samples: 6, repeat: 2 },
      { set: "half", first: 6, samples: 5, repeat: 0.55 },
    ]);
    expect(why.length).toBe(2);

    const made = JSON.parse(readFileSync(args.metaOut, "utf8")) as Record<string, { token_lengths: string }>;
    expect(made).toEqual({
      twice: { ...meta.twice, token_lengths: made.twice.token_lengths },
      half: { ...meta.half, token_lengths: made.half.token_lengths },
    });
    const list = (name: "twice" | "half") =>
      JSON.parse(readFileSync(join(folder, made[name].token_lengths), "utf8")) as Row[];
    expect([...list("twice"), ...list("half")]).toEqual(rows);
  });

  test("a set without bad samples is read back by the meta file that was written", async () => {
    put("good.json", JSON.stringify({ half: meta.half }));
    const { rows } = await run("good.json", args, "internvl2.5");
    const read = await readLengths([args.metaOut]);
    expect([...read.vit]).toEqual(rows.map(({ vit_num }) => vit_num));
    expect([...read.tokens]).toEqual(rows.map(({ token_num }) => token_num));
    expect(read.files.map(({ name }) => name)).toEqual(["half"]);
  });

  test.each([
    [{ annotation: "none.jsonl" }, "annotation: no such file"],
    [{ annotation: "first.jsonl", root: "nowhere" }, "root: no such file or folder"],
    [{ annotation: "first.jsonl", repeat_time: 1.5 }, "repeat_time is 1.5, expected a whole number"],
    [{ annotation: "first.jsonl", repeat_time: -1 }, "repeat_time is -1"],
    [{ annotation: "first.jsonl", max_dynamic_patch: 0 }, "max_dynamic_patch is 0"],
  ])("%j is refused", async (entry, why) => {
    put("wrong.json", JSON.stringify({ entry }));
    await expect(run("wrong.json", args, "internvl2.5")).rejects.toThrow(why);
  });
});

describe("Parquet", () => {
  const utf8 = { type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" } as const;
  const listOf = (name: string, members: readonly object[]) => [
    { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", repetition_type: "OPTIONAL", num_children: members.length },
    ...members,
  ];
  const messages = [
    [user("<image>\nWhat?"), assistant("the cat")],
    [user("<image> and <image>: which?"), assistant("the cat"), user("And?"), assistant("a picture")],
    [user("What is a cat?"), assistant("the picture of a cat")],
    [{ role: "system", content: "Be short." }, user("<image>\nWhat?"), assistant("the cat")],
    null,
  ];
  const bytes = (name: keyof typeof PICTURES) => ({
    bytes: new Uint8Array(readFileSync(join(folder, "pictures", name))),
    path: null,
  });
  const images = [[bytes("a.png")], [bytes("a.png"), { bytes: null, path: "b.jpg" }], null, [bytes("c.webp")], []];

  test("lists of structs, pictures as bytes or paths, nulls, several row groups", async () => {
    const schema = [
      { name: "root", num_children: 3 },
      { name: "embedding", type: "INT64", repetition_type: "OPTIONAL" },
      ...listOf("messages", [
        { name: "role", ...utf8 },
        { name: "content", ...utf8 },
      ]),
      ...listOf("images", [
        { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
        { name: "path", ...utf8 },
      ]),
    ] as never;
    const columnData = [
      { name: "embedding", data: messages.map((_, i) => BigInt(i)) },
      { name: "messages", data: messages },
      { name: "images", data: images },
    ];
    for (const rowGroupSize of [2, 100]) {
      put("nested.parquet", new Uint8Array(parquetWriteBuffer({ columnData, schema, rowGroupSize })));
      const { rows, why } = await run("nested.parquet", pictures);
      expect(rows).toEqual([one, two, none, system, BAD]);
      expect(why).toEqual([expect.stringContaining("no turns")]);
    }
  });

  // By pyarrow 26.0.1: messages as list<struct<role, content>>, images as list<struct<bytes, path>>, row groups of two.
  test.each(["zstd.parquet", "gzip.parquet"])("%s, which another library wrote", async (name) => {
    put(name, readFileSync(join(import.meta.dirname, "../fixtures/measure", name)));
    expect((await run(name, pictures)).rows).toEqual([one, two, none, system, BAD]);
  });

  test("without a column of a sample, and cut: errors", async () => {
    const columnData = [{ name: "size", data: [1, 2], type: "INT32" as const }];
    const file = put("no.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
    await expect(run("no.parquet")).rejects.toThrow("no column of a sample, such as messages; it has size");
    put("cut.parquet", readFileSync(file).subarray(0, -9));
    await expect(run("cut.parquet")).rejects.toThrow("cut.parquet: not a Parquet file that can be read");
  });
});

describe("WebDataset's tar shards", () => {
  const json = (value: unknown) => JSON.stringify(value);
  const bytes = (name: keyof typeof PICTURES) => new Uint8Array(readFileSync(join(folder, "pictures", name)));
  const files = [
    ["0000.json", json({ conversations: [human("<image>\nWhat?"), gpt("the cat")], image: "elsewhere.png" })],
    ["0000.png", bytes("a.png")],
    ["0001.0.png", bytes("a.png")],
    ["0001.1.jpg", bytes("b.jpg")],
    [
      "0001.json",
      json([user("<image> and <image>: which?"), assistant("the cat"), user("And?"), assistant("a picture")]),
    ],
    ["0002.json", json({ messages: [user("What is a cat?"), assistant("the picture of a cat")] })],
    ["deep/0003.webp", bytes("c.webp")],
    [
      "deep/0003.json",
      json({ messages: [{ role: "system", content: "Be short." }, user("<image>\nWhat?"), assistant("the cat")] }),
    ],
    ["0004.jpg", bytes("b.jpg")],
    ["0004.txt", "a picture of a cat"],
    ["0004.cls", "7"],
    ["0005.json", "{"],
    ["0006.png", new Uint8Array(64)],
    ["0006.txt", "a cat"],
  ] as const;
  const caption = row({ images: [b], text: "a picture of a cat" });
  const expected = [one, two, none, system, caption, BAD, BAD];

  test.each([
    ["shard-000.tar", tar(files)],
    ["shard-000.tar.gz", gzipSync(tar(files))],
    ["shard-000.tgz", gzipSync(tar(files))],
    ["shard without a name", tar(files)],
  ])("%s", async (name, content) => {
    put(name, content);
    const { rows, why } = await run(name);
    expect(rows).toEqual(expected);
    expect(why).toEqual([expect.stringContaining("0005.json: is not JSON"), expect.stringContaining("a picture:")]);
  });

  test("shards of a folder come in the order of their names", async () => {
    const half = files.findIndex(([name]) => name.startsWith("0002"));
    put("shards/b.tar", tar(files.slice(half)));
    put("shards/a.tar", tar(files.slice(0, half)));
    expect((await run("shards")).rows).toEqual(expected);
  });
});

describe("a CSV of sizes", () => {
  const sizes = (tokens: number, media: object) => row({ _text_tokens: tokens, mm_inputs_meta: media });
  const picture = sizes(12, { images_meta: [[300, 500]] });
  const alone = sizes(5, {});
  const moving = sizes(7, { videos_meta: [[24, 200, 300, 8]] });

  test.each([
    ["sizes.csv", ","],
    ["sizes.tsv", "\t"],
    ["semicolons.csv", ";"],
  ])("tokens that were counted, %s", async (name, between) => {
    const table = [
      ["id", "width", "Height", "tokens", "frames", "fps"],
      ["x", "500", "300", "12", "", ""],
      ["y", "", "", "5", "", ""],
      ["z", "300", "200", "7", "24", "8"],
      ["wide", "wide", "300", "12", "", ""],
      ["q", "500", "300", "-2", "", ""],
    ];
    put(name, table.map((cells) => cells.join(between)).join("\r\n"));
    const { rows, why } = await run(name);
    expect(rows).toEqual([picture, alone, moving, BAD, BAD]);
    expect(why).toEqual([expect.stringContaining("images_meta has"), expect.stringContaining('_text_tokens is "-2"')]);
  });

  test("captions to be counted, with quotes and line breaks", async () => {
    put("captions.csv", 'height,width,caption\n300,500,"a ""cat"",\nthe picture"\n');
    expect((await run("captions.csv")).rows).toEqual([row({ images: [a], text: 'a "cat",\nthe picture' })]);
  });

  test("without height and width, empty, or with a quote that does not end: an error with the line", async () => {
    put("no.csv", "name,size\n1,2\n");
    await expect(run("no.csv")).rejects.toThrow('line 1: height and width are missing, the header has "name", "size"');
    put("empty.csv", "");
    await expect(run("empty.csv")).rejects.toThrow("the file is empty");
    put("open.csv", 'height,width,caption\n300,500,"a cat\n');
    await expect(run("open.csv")).rejects.toThrow("line ");
  });
});

test("NeMo Automodel's _text_tokens and mm_inputs_meta", async () => {
  const records = [
    { _text_tokens: 40, mm_inputs_meta: { images_meta: [[300, 500], [480, 640]] } },
    { _text_tokens: 40, mm_inputs_meta: { videos_meta: [[24, 200, 300, 8, 3]] } },
    { _text_tokens: 40, mm_inputs_meta: { images_meta: null, videos_meta: [] }, messages: [user("x")] },
    { _text_tokens: 40 },
    { _text_tokens: -1 },
    { _text_tokens: 40, mm_inputs_meta: { images_meta: [[300]] } },
  ]; // biome-ignore format: sizes
  put("automodel.jsonl", lines(records));
  const { rows, why } = await run("automodel.jsonl");
  const seen = (size: object) => model.image([(size as typeof a).height, (size as typeof a).width]);
  const [first, second] = [seen(a), seen(b)];
  const film = model.video([24, 200, 300, 8]);
  expect(rows.slice(0, 4).map(({ vit_num, token_num }) => [vit_num, token_num])).toEqual([
    [first.vit + second.vit, 40 + first.tokens + second.tokens],
    [film.vit, 40 + film.tokens],
    [0, 40],
    [0, 40],
  ]);
  // Which tokens are trained on nobody has said.
  expect(rows.slice(0, 4).every(({ labels }) => labels === -1)).toBe(true);
  expect(rows.slice(4)).toEqual([BAD, BAD]);
  expect(why[1]).toContain("images_meta has [300], expected [height, width]");
});

describe("XTuner's cache", () => {
  const tokens = [40, 1, 70000];
  const array = (descr: string, shape: string) => npy(tokens.map((value) => [value]), { descr, shape }); // biome-ignore format: short

  test.each([
    ["<i8", "cache/num_tokens.npy", "cache"],
    ["<i4", "other/jsonl_meta/num_tokens.npy", "other"],
    ["<i8", "named.npy", "named.npy"],
  ] as const)("%s in %s, named by %s", async (descr, path, name) => {
    put(path, array(descr, "(3,)"));
    const { rows } = await run(name);
    expect(rows.map(({ vit_num, token_num }) => [vit_num, token_num])).toEqual(tokens.map((n) => [0, n]));
  });

  test("another array, or one that was cut, is an error", async () => {
    put("two.npy", array("<i8", "(3, 1)"));
    await expect(run("two.npy")).rejects.toThrow("not an .npy file of one column");
    put("float.npy", array("<f4", "(3,)"));
    await expect(run("float.npy")).rejects.toThrow("descr is \"<f4\", expected '<i8' or '<i4'");
    put("cut.npy", array("<i8", "(3,)").subarray(0, -1));
    await expect(run("cut.npy")).rejects.toThrow("the file ends before sample 3");
  });
});
