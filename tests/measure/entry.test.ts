// What the entry for pages may import, and what it does in a real browser, bundled: the same as in Node.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { loadModel } from "../../src/measure/index.ts";
import { testFolder } from "../folder.ts";
import { missing, withPage } from "../hosts/chromium.ts";
import { whenThere } from "../hosts/when-there.ts";
import { modelFolder } from "./model-folder.ts";
import { jpeg, png } from "./pictures.ts";
import { smallTokenizer } from "./tokenizers.ts";

const entry = fileURLToPath(new URL("../../src/measure/page.ts", import.meta.url));
const folder = testFolder();
const NAMES = ["config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"];
const checkpoint = modelFolder(join(folder, "model"));
const read = (name: string) => readFileSync(join(checkpoint, name), "utf8");
const parsed = Object.fromEntries(NAMES.map((name) => [name, JSON.parse(read(name))]));

test("pages take it without Node, without the core and without the libraries of files", async () => {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: "browser",
    format: "esm",
    write: false,
    metafile: true,
    external: ["@huggingface/*"],
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect([...new Set(imported)].sort()).toEqual(["@huggingface/jinja"]);
  expect(Object.keys(metafile.inputs).filter((path) => /src\/(read|write|pack|plan)\//.test(path))).toEqual([]);
});

/** A tokenizer that has no tables here: one with a chance in it. */
const odd = smallTokenizer();
const unknown = { ...odd, model: { ...(odd.model as object), dropout: 0.5 } };

describe("loadModel", () => {
  test("a folder, its files parsed, and its files as a page gets them are one model", async () => {
    const asFiles = [...NAMES, "model.safetensors"].map((name) => ({
      name,
      text: () => (name.endsWith("safetensors") ? Promise.reject(new Error("not asked for")) : read(name)) as never,
    }));
    const models = await Promise.all([loadModel(checkpoint), loadModel(parsed), loadModel(asFiles)]);
    for (const model of models) {
      expect(model.parameters).toEqual(models[0].parameters);
      expect(model.image([480, 640])).toMatchObject({ vit: 34 * 46, tokens: 17 * 23 });
      expect(model.text("the picture of a cat")).toBe(models[0].text("the picture of a cat"));
    }
  });

  test("a released model by name, with the files of a tokenizer", async () => {
    const [one, two] = [
      await loadModel("qwen2.5-vl", { tokenizer: checkpoint }),
      await loadModel("qwen2.5-vl", { tokenizer: parsed }),
    ];
    expect(two.image([480, 640])).toEqual(one.image([480, 640]));
    expect(two.text("a cat")).toBe(one.text("a cat"));
  });

  test("what cannot be read is named", async () => {
    const wrong = [{ name: "config.json", text: async () => "{" }];
    await expect(loadModel(wrong)).rejects.toThrow("config.json: not JSON");
    await expect(loadModel({})).rejects.toThrow(/family|config\.json/);
    await expect(loadModel("qwen2.5-vl", { tokenizer: join(folder, "none") })).rejects.toThrow("no tokenizer.json in");
  });
});

describe("in Chromium", () => {
  const png64 = (bytes: Uint8Array) => `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`;
  const records = [
    {
      conversations: [
        { from: "human", value: "<image>\nWhat is it?" },
        { from: "gpt", value: "the cat of a picture" },
      ],
      image: png64(png(500, 300)),
    },
    { messages: [{ role: "user", content: "Name three primes." }], tools: [{ type: "function", n: 1 }] },
    { image: png64(jpeg(640, 480, { orientation: 6 })), text: "é 字 🙂" },
    { videos: [{ num_frames: 24, height: 200, width: 300, fps: 8 }], question: "What?", answer: "a cat" },
  ];

  whenThere(missing())(
    "dropped files of a checkpoint give pictures, videos, texts and samples their loads as in Node",
    async () => {
      writeFileSync(
        join(folder, "page.js"),
        `import { loadModel } from ${JSON.stringify(entry)};
       import * as library from "@huggingface/tokenizers";
       addEventListener("ask", async ({ detail: { files, other, records } }) => {
         const dropped = Object.entries(files).map(([name, text]) => new File([text], name));
         const model = await loadModel(dropped);
         const refused = await loadModel(other).catch(({ message }) => message);
         const script = await loadModel(other, { library });
         window.answer = JSON.stringify({
           about: [model.family.name, model.counts, model.parameters, model.exif, model.counter.about],
           image: model.image([480, 640]),
           video: model.video([24, 480, 640, 8]),
           text: model.text("the picture of a cat"),
           samples: records.map((record) => model.sample(record)),
           refused,
           script: [script.counter.about, script.text("the picture of a cat")],
         });
       });`,
      );
      await build({
        entryPoints: [join(folder, "page.js")],
        bundle: true,
        format: "esm",
        outfile: join(folder, "bundle.js"),
        nodePaths: [fileURLToPath(new URL("../../node_modules", import.meta.url))],
      });
      writeFileSync(join(folder, "index.html"), '<script type="module" src="bundle.js"></script>');
      const other = { ...parsed, "tokenizer.json": unknown };
      const files = Object.fromEntries(NAMES.map((name) => [name, read(name)]));
      const answer = await withPage(folder, "index.html", async (page) => {
        await page.evaluate((detail) => dispatchEvent(new CustomEvent("ask", { detail })), { files, other, records });
        await page.waitForFunction("window.answer !== undefined");
        return JSON.parse((await page.evaluate("window.answer")) as string);
      });
      const model = await loadModel(checkpoint);
      expect(answer).toEqual({
        about: [model.family.name, model.counts, model.parameters, model.exif, model.counter?.about],
        image: model.image([480, 640]),
        video: model.video([24, 480, 640, 8]),
        text: model.text("the picture of a cat"),
        samples: records.map((record) => ({ ...model.sample(record) })),
        refused: expect.stringContaining("this tokenizer is not counted here"),
        script: ["by the library @huggingface/tokenizers", model.text("the picture of a cat")],
      });
    },
  );
});

test("the package names it, for pages too", () => {
  const { exports, peerDependenciesMeta } = JSON.parse(
    readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8"),
  );
  expect(exports["./measure"].browser.default).toBe("./dist/measure/page.js");
  expect(exports["./measure"].default).toBe("./dist/measure/index.js");
  expect(peerDependenciesMeta.tokenizers.optional).toBe(true);
});
