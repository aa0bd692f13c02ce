// The command, from raw data to a plan, as a user runs it.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parquetReadObjects } from "hyparquet";
import { describe, expect, test } from "vitest";
import { Pace } from "../../src/cli/measure.ts";
import { loadModel, type MeasureProgress, measure as runMeasure } from "../../src/measure/index.ts";
import { omnibal, start, widest } from "../cli/run.ts";
import { readNpy, testFolder } from "../folder.ts";
import { dataSet, lines, modelFolder, parquetOf, tarOf } from "./model-folder.ts";

interface Lengths {
  readonly vit_num: number;
  readonly token_num: number;
  readonly image_flags: number;
}

const folder = testFolder();
modelFolder(join(folder, "model"));
const samples = dataSet(folder, 300);
const picture = (path: string) => readFileSync(join(folder, path));
writeFileSync(join(folder, "raw.jsonl"), lines(samples));
writeFileSync(join(folder, "raw.json"), JSON.stringify(samples, null, 1));
writeFileSync(join(folder, "raw.parquet"), parquetOf(samples));
writeFileSync(join(folder, "raw.tar"), tarOf(samples, picture));

const measure = (...args: string[]) => omnibal(["measure", "--model", "model", "-q", ...args], { cwd: folder });
const text = (name: string) => readFileSync(join(folder, name), "utf8");
const read = (name: string) =>
  text(name)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Lengths);

expect(measure("raw.jsonl", "-o", "lengths.jsonl", "--workers", "0")).toEqual({ code: 0, out: "", err: "" });
const lengths = read("lengths.jsonl");
const whole = text("lengths.jsonl");

describe("raw data to a plan", () => {
  test("every sample has its loads", () => {
    expect(lengths.length).toBe(300);
    for (const { vit_num, token_num, image_flags } of lengths) {
      expect(vit_num % 4).toBe(0);
      expect(vit_num).toBeGreaterThan(0);
      expect(token_num).toBeGreaterThan(vit_num / 4 + 10);
      expect(image_flags).toBe(vit_num);
    }
  });

  test("search, pack and plan take them", () => {
    const run = (...args: string[]) => omnibal(args, { cwd: folder });
    const search = run("search", "lengths.jsonl", "--ranks=2", "--samples-per-group=8", "--candidates=50", "-q");
    expect([search.code, search.err]).toEqual([0, ""]);
    // Its last lines are the command to go on with.
    const [, line] = /^omnibal (pack [\s\S]*)$/m.exec(search.out) ?? [];
    expect(run(...line.replaceAll("\\\n", " ").trim().split(/\s+/), "-q").code).toBe(0);
    const plan = run("plan", "lengths.jsonl", "--packing=groups.json", "--ranks=2", "-q", "-o", "plan.json");
    expect([plan.code, plan.err]).toEqual([0, ""]);
    expect(JSON.parse(text("groups.json")).groups.flat().length).toBe(300);
  });

  test.each(["raw.json", "raw.parquet", "raw.tar"])("%s gives the same", (name) => {
    expect(measure(name, "-o", `${name}.jsonl`, "--workers", "0")).toEqual({ code: 0, out: "", err: "" });
    expect(text(`${name}.jsonl`)).toBe(whole);
  });

  test("workers do not change a byte", () => {
    expect(measure("raw.jsonl", "-o", "two.jsonl", "--workers", "2").err).toBe("");
    expect(text("two.jsonl")).toBe(whole);
  });

  test("workers start from a program on the command line too, whose flags are not theirs", () => {
    const program = `
      import { measure } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../dist/measure/index.js")).href)};
      await measure(["raw.jsonl"], "model", "inline.jsonl", { workers: 1 });`;
    const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(text("inline.jsonl")).toBe(whole);
  });

  test("parts join", () => {
    const parts = [0, 1, 2].map((i) => {
      expect(measure("raw.jsonl", "-o", `part${i}.jsonl`, "--part", `${i}/3`, "--workers", "0").err).toBe("");
      return text(`part${i}.jsonl`);
    });
    expect(parts.join("")).toBe(whole);
    expect(parts.map((part) => part.split("\n").length - 1)).toEqual([100, 100, 100]);
  });

  test("parts join with a header too, which only the first has", () => {
    const run = (out: string, ...args: string[]) => {
      expect(measure("raw.jsonl", "-o", out, "--header", "--workers", "0", ...args).err).toBe("");
      return text(out);
    };
    const [header, ...rest] = run("header.jsonl").split("\n");
    expect(rest.join("\n")).toBe(whole);
    const { lengths: about, ...others } = JSON.parse(header);
    expect(others).toEqual({});
    expect(about).toMatchObject({ version: 1, vit: "patches", model: "qwen2-vl", exif: "ignore" });
    expect(about.columns).toEqual(Object.keys(lengths[0]));
    expect(run("header0.jsonl", "--part", "0/2") + run("header1.jsonl", "--part", "1/2")).toBe(`${header}\n${whole}`);
  });

  test("an EXIF orientation turns a picture or is ignored, as asked", () => {
    // LLaVA-NeXT adds a token for every row of a picture, so that its sides do not count alike.
    const tokens = (how: string) => {
      const args = ["--model", "llava-next", "--tokenizer", "model", "--template", "Hermes-2", "--exif", how];
      const run = omnibal(["measure", ...args, "-q", "raw.jsonl", "-o", "exif.jsonl", "--workers", "0"], {
        cwd: folder,
      });
      expect(run.err).toBe("");
      return read("exif.jsonl").map(({ token_num }) => token_num);
    };
    const turned = tokens("transpose");
    const differ = tokens("ignore").flatMap((n, i) => (n === turned[i] ? [] : [i]));
    expect(differ.length).toBeGreaterThan(10);
    // Every sixth is a JPEG that EXIF turns.
    expect(differ.every((i) => i % 3 === 1 && i % 2 === 0)).toBe(true);
  });
});

describe("formats", () => {
  test("JSON is the published list", () => {
    measure("raw.jsonl", "-o", "out.json", "--workers", "0");
    expect(JSON.parse(text("out.json"))).toEqual(lengths);
  });

  test("npy has columns", () => {
    measure("raw.jsonl", "-o", "out.npy", "--columns", "vit_num,token_num", "--workers", "0");
    const { header, values } = readNpy(join(folder, "out.npy"));
    expect(header).toContain("'shape': (300, 2)");
    expect(values).toEqual(lengths.flatMap(({ vit_num, token_num }) => [vit_num, token_num]));
  });

  test("Parquet", async () => {
    measure("raw.jsonl", "-o", "out.parquet", "--workers", "0");
    const bytes = readFileSync(join(folder, "out.parquet"));
    const rows = await parquetReadObjects({
      file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
    });
    expect(rows.map(({ vit_num, token_num }) => [Number(vit_num), Number(token_num)])).toEqual(
      lengths.map(({ vit_num, token_num }) => [vit_num, token_num]),
    );
  });
});

describe("InternVL's meta file", () => {
  const meta = {
    thrice: {
      root: "",
      annotation: "raw.jsonl",
      repeat_time: 3,
      max_dynamic_patch: 4,
      data_augment: false,
      length: 300,
    },
    third: { root: "", annotation: "raw.jsonl", repeat_time: 0.33, length: 300 },
  };
  writeFileSync(join(folder, "meta.json"), JSON.stringify(meta));

  test("repetitions are records, tiles have a limit of their own, and token_lengths are added", () => {
    const args = ["--model", "internvl2.5", "--tokenizer", "model", "--images", ".", "-q", "--workers", "0"];
    const run = omnibal(["measure", ...args, "meta.json", "-o", "meta.jsonl", "--meta-out", "new.json"], {
      cwd: folder,
    });
    expect(run.err).toBe("");
    const all = read("meta.jsonl");
    expect(all.length).toBe(3 * 300 + 99);
    expect(all.slice(300, 600)).toEqual(all.slice(0, 300));
    expect(Math.max(...all.slice(0, 900).map(({ vit_num }) => vit_num))).toBeLessThanOrEqual(5);
    const made = JSON.parse(text("new.json")) as Record<string, Record<string, unknown>>;
    expect(made.thrice).toMatchObject(meta.thrice);
    expect(made.third.token_lengths).toBeDefined();
    expect(text("meta.jsonl.report.jsonl")).toContain("thrice");
  });
});

describe("bad samples", () => {
  const bad = (records: readonly string[], ...args: string[]) => {
    writeFileSync(join(folder, "bad.jsonl"), `${records.join("\n")}\n`);
    rmSync(join(folder, "bad-out.jsonl.report.jsonl"), { force: true });
    const run = omnibal(
      ["measure", "--model", "model", "bad.jsonl", "-o", "bad-out.jsonl", "--workers", "0", ...args],
      { cwd: folder },
    );
    return { ...run, rows: read("bad-out.jsonl"), report: text("bad-out.jsonl.report.jsonl") };
  };
  const of = (image: string) => JSON.stringify({ ...samples[0], image });
  const good = JSON.stringify(samples[0]);

  test("are -1 in every column, listed with reasons, and the others are measured", () => {
    const deep = `{"id":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`;
    const { code, rows, report, err } = bad([good, "{", of("pictures/none.png"), deep, good]);
    expect(code).toBe(0);
    expect(rows.length).toBe(5);
    expect([rows[0], rows[4]]).toEqual([lengths[0], lengths[0]]);
    for (const row of rows.slice(1, 4)) expect(Object.values(row).every((value) => value === -1)).toBe(true);
    expect(report.match(/none\.png/g)?.length).toBe(1);
    expect(err).toContain("3: -1 in every column");
    // A million brackets are no message.
    expect(report.length).toBeLessThan(10_000);
  });

  test("pictures that are nowhere: where they are looked for is said", () => {
    expect(bad([good, of("none.png")]).err).toContain("looked for below --images ROOT");
    expect(bad([good, "{"]).err).not.toContain("--images");
  });

  test("nothing is read outside of --images, by dots, by a root or through a link", () => {
    mkdirSync(join(folder, "outside"), { recursive: true });
    mkdirSync(join(folder, "inside"), { recursive: true });
    writeFileSync(join(folder, "outside/secret.png"), picture(samples[0].image));
    symlinkSync(join(folder, "outside/secret.png"), join(folder, "inside/link.png"));
    symlinkSync(join(folder, "outside"), join(folder, "inside/folder"));
    const paths = ["../outside/secret.png", join(folder, "outside/secret.png"), "link.png", "folder/secret.png"];
    const { code, rows, report } = bad([...paths.map(of)], "--images", "inside");
    expect(code).toBe(1);
    expect(rows.every(({ vit_num }) => vit_num === -1)).toBe(true);
    expect(
      report.split("\n").filter((line) => line.includes('"record"') || line.includes("outside")).length,
    ).toBeGreaterThan(3);
  });

  test("thousands of missing pictures do not fill the screen", () => {
    const { err, rows } = bad([good, ...Array.from({ length: 3000 }, (_, i) => of(`pictures/gone${i}.png`))]);
    expect(rows.length).toBe(3001);
    expect(err.split("\n").length).toBeLessThan(40);
  });
});

describe("progress", () => {
  test("shares rise to all of it, with and without parts, and an aborted run is taken up where it was", async () => {
    const shares = async (options: object, out: string) => {
      const seen: MeasureProgress[] = [];
      const onProgress = (progress: MeasureProgress) => seen.push(progress);
      const done = await runMeasure([join(folder, "many.jsonl")], join(folder, "model"), join(folder, out), {
        workers: 0,
        onProgress,
        ...options,
      });
      const measuring = seen.filter(({ stage }) => stage === "measuring");
      expect(measuring.length).toBeGreaterThan(1);
      for (const [i, { share, samples }] of measuring.entries()) {
        expect(share).toBeGreaterThanOrEqual(i === 0 ? 0.01 : (measuring[i - 1].share as number));
        expect(samples).toBeLessThanOrEqual(done.samples);
      }
      expect(measuring.at(-1)).toMatchObject({ share: 1, samples: done.samples });
      return { first: measuring[0], done, stages: new Set(seen.map(({ stage }) => stage)) };
    };
    writeFileSync(join(folder, "many.jsonl"), lines(Array.from({ length: 5 }, () => samples).flat()));
    expect((await shares({}, "p.jsonl")).stages).toEqual(new Set(["measuring", "writing"]));
    expect((await shares({ part: [1, 2] }, "p1.jsonl")).done.samples).toBe(750);

    const controller = new AbortController();
    const aborted = runMeasure([join(folder, "many.jsonl")], join(folder, "model"), join(folder, "again.jsonl"), {
      workers: 0,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(aborted).rejects.toThrow("enough");
    const { first, done } = await shares({}, "again.jsonl");
    expect(done.resumed).toBe(first.before);
    expect(text("again.jsonl")).toBe(text("p.jsonl"));
  });

  test("samples per second and the time left are those of this run", () => {
    const pace = new Pace();
    const at = (seconds: number, samples: number, share: number | undefined) =>
      pace.note({ stage: "measuring", samples, before: 1000, share }, seconds * 1000 + 5);
    expect(pace.note({ stage: "counting", samples: 0, before: 0, share: undefined }, 0)).toBe("counting");
    at(0, 1000, 0.5);
    // An eighth of all in ten seconds: three of them are left.
    expect(at(10, 61_000, 0.625)).toBe("6,000/s, 30 s left");
    expect(at(10, 61_000, 0.5001)).toBe("6,000/s, 13.9 h left");
    expect(at(60, 61_000, 0.625)).toBe("1,000/s, 3 min left");
    expect(at(60, 61_000, 1)).toBe("1,000/s");
    expect(at(60, 61_000, undefined)).toBe("1,000/s");
  });
});

test("what is said fits 80 columns, names the parameters, and is nothing with -q", () => {
  const run = (...args: string[]) => omnibal(["measure", "raw.jsonl", "-o", "said.jsonl", ...args], { cwd: folder });
  for (const args of [
    ["--model", "model"],
    ["--model", "llava-next", "--tokenizer", "model", "--template", "Hermes-2"],
  ]) {
    const { code, out, err } = run(...args, "--workers=0");
    expect([code, out]).toEqual([0, ""]);
    expect(widest(err)).toBeLessThanOrEqual(80);
    expect(err).toMatch(/^model {4}\S+ \(.*\): vit_num counts (tiles|patches)\nimage {4}\w+=/);
    expect(err).toMatch(/\nexif {5}(transpose|ignore): [\s\S]*\nchat {5}[\s\S]*\ntokens {3}[\s\S]*\nsamples {2}300;/);
    expect(run(...args, "--workers=0", "-q").err).toBe("");
  }
});

describe("wrong usage", () => {
  test("a family that is not known lists the known ones", () => {
    mkdirSync(join(folder, "odd"), { recursive: true });
    writeFileSync(join(folder, "odd/config.json"), '{"model_type":"odd_vl"}');
    const { code, err } = omnibal(["measure", "--model", "odd", "raw.jsonl", "-o", "odd.jsonl"], { cwd: folder });
    expect(code).toBeGreaterThan(0);
    expect(err).toContain("odd_vl");
    expect(err).toContain("internvl");
  });

  test.each([
    [["raw.jsonl", "-o", "x.jsonl", "--part", "3/3"], "--part"],
    [["raw.jsonl", "-o", "x.jsonl", "--columns", "vit"], "--columns"],
    [["raw.jsonl", "-o", "x.jsonl", "--exif", "turn"], "expected one of transpose, ignore"],
    [["raw.jsonl", "-o", "x.jsonl", "--format", "csv"], "expected one of jsonl, json, npy, parquet"],
    [["raw.jsonl", "-o", "x.jsonl", "--part", "0/2", "--meta-out", "x.json"], "no part beside it"],
    [
      ["raw.jsonl", "-o", "x.jsonl", "--set", "max_pixel=5"],
      'no image parameter "max_pixel": did you mean max_pixels?',
    ],
    [["raw.jsonl", "-o", "x.jsonl", "--set", "video.speed=5"], 'qwen2-vl has no video parameter "speed", expected'],
    [["raw.jsonl", "-o", "x.jsonl", "--set", "max_pixels"], "expected NAME=VALUE"],
    [["raw.jsonl", "-o", "x.jsonl", "--model", "qwen2.5-vl"], "has no tokenizer.json"],
    [["raw.jsonl"], "--output"],
    [["-o", "x.jsonl"], "DATA"],
  ])("%j", (args, named) => {
    const { code, err } = measure(...args);
    expect(code).toBe(2);
    expect(err).toContain(named);
  });
});

test("a rule in a JSON file, and a parameter in it that is misspelt", async () => {
  const rule = (json: object) => {
    writeFileSync(
      join(folder, "rule.json"),
      JSON.stringify({ rule: "internvl", tile_size: 448, max_tiles: 6, ...json }),
    );
    return loadModel(join(folder, "rule.json"), { tokenizer: join(folder, "model") });
  };
  const model = await rule({ tokens_per_tile: 64, tokens_around_image: 3 });
  // Two columns and one row, and a thumbnail.
  expect(model.image([448, 896])).toMatchObject({ vit: 3, tokens: 3 * 64 + 3 });
  await expect(rule({ tokens_per_tiles: 64 })).rejects.toThrow('internvl has no image parameter "tokens_per_tiles"');
  await expect(rule({ rule: "my-own" })).rejects.toThrow(
    '"my-own" is not a model family; known are internvl, qwen2-vl',
  );
});

test("options that are misspelt or out of range are errors in JavaScript too", async () => {
  const out = join(folder, "never.jsonl");
  const run = (options: object) => runMeasure([join(folder, "raw.jsonl")], join(folder, "model"), out, options);
  await expect(run({ worker: 2 })).rejects.toThrow('measure has no option "worker": did you mean workers?');
  await expect(run({ workers: -1 })).rejects.toThrow("workers is -1, expected a whole number from 0 to 512");
  await expect(run({ format: "csv" })).rejects.toThrow('format is "csv", expected jsonl, json, npy, parquet');
  await expect(run({ exif: "turn" })).rejects.toThrow('exif is "turn", expected transpose, ignore');
  await expect(run({ part: [2, 2] })).rejects.toThrow("part[0] is 2, expected a whole number from 0 to 1");
  await expect(loadModel(join(folder, "model"), { templat: "x" } as object)).rejects.toThrow("did you mean template?");
});

test("killed and started again, it goes on and writes the same bytes", async () => {
  const kills = Number(process.env.OMNIBAL_KILLS ?? 2);
  writeFileSync(join(folder, "many.jsonl"), lines(Array.from({ length: 40 }, () => samples).flat()));
  const args = ["measure", "--model", "model", "-q", "many.jsonl", "--workers", "1", "-o"];
  const began = performance.now();
  expect(omnibal([...args, "once.jsonl"], { cwd: folder }).code).toBe(0);
  const time = performance.now() - began;
  for (let kill = 0; kill < kills; kill++) {
    const { child, end } = start([...args, "killed.jsonl"], folder);
    await setTimeout((time * (kill + 0.7)) / (kills + 0.5));
    child.kill("SIGKILL");
    await end;
  }
  expect(omnibal([...args, "killed.jsonl"], { cwd: folder })).toMatchObject({ code: 0, err: "" });
  expect(text("killed.jsonl")).toBe(text("once.jsonl"));
}, 120_000);
