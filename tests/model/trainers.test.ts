// What trainers are handed, read back: by rules written out here, and by the trainers themselves where they are installed.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import {
  checkProfile,
  type Handover,
  type ModelPlan,
  type ModelPlanOptions,
  type Profile,
  planModel,
  trainers,
} from "../../src/model/index.ts";
import type { Split } from "../../src/model/split.ts";
import { runs } from "../hosts/host.ts";
import { python } from "../hosts/wasmtime.ts";
import { whenThere } from "../hosts/when-there.ts";
import { modelProfile, smallProfile } from "./models.ts";

const example = fileURLToPath(new URL("../../examples/python", import.meta.url));

const core = await load();
const tight = { tensorParallel: 2, samples: 4 };

interface Handed {
  readonly profile: Profile;
  readonly plan: ModelPlan;
  readonly handover: Handover;
}

function hand(name: string, profile: Profile, options: ModelPlanOptions): Handed {
  const trainer = trainers.find((candidate) => candidate.name === name);
  const plan = planModel(core, profile, options);
  const handover = trainer?.write({ host: core, profile, options, plan });
  if (handover === undefined) throw new Error(`no trainer ${name}`);
  return { profile, plan, handover };
}

/** A layout as Megatron unrolls it. */
function unroll(layout: string): string[] {
  return layout.replace(/(.)\*(\d+)/g, (_, letter: string, count: string) => letter.repeat(Number(count))).split("|");
}

function layoutOf({ text }: Handover): string {
  return /--pipeline-model-parallel-layout "([^"]*)"/.exec(text)?.[1] ?? "";
}

const internvl = modelProfile("internvl-6-20b", tight);
const qwen = modelProfile("qwen2.5-vl-72b", { tensorParallel: 8, samples: 4 });
const deepseek = modelProfile("deepseek-v3", { tensorParallel: 8, expertParallel: 8, dataParallel: 8 });

const handed = {
  internvl: hand("megatron", internvl, { stages: 4, microBatches: 16, memory: 85e9 }),
  qwen: hand("megatron", qwen, { stages: 8, microBatches: 16, memory: 40e9 }),
  deepseek: hand("megatron", deepseek, { stages: 8, microBatches: 32, memory: 24e9 }),
  interleaved: hand("megatron", deepseek, {
    stages: 4,
    microBatches: 16,
    memory: 60e9,
    schedule: "interleaved",
    chunks: 3,
  }),
};

describe("megatron", () => {
  test.each(Object.entries(handed))(
    "%s: the layout has all layers, and its recomputation is the split's",
    (_, given) => {
      const { profile, plan, handover } = given;
      const { stages, chunks, memory } = plan.shape;
      const split = handover.split as Split;
      const layout = layoutOf(handover);
      expect(layout).toMatch(/^[EtL*\d|]+$/);
      expect(layout).not.toContain("t*0");
      const entries = unroll(layout);
      expect(entries).toHaveLength(stages * chunks);
      expect(entries.join("")).toMatch(/^Et*L$/);
      const decoders = profile.layers.filter(({ type }) => type === "decoder").length;
      expect(entries.join("")).toHaveLength(decoders + 2);
      expect(handover.text).toContain(`--pipeline-model-parallel-size ${stages} \\\n`);
      // Encoder, projector and embedding are with the first entry.
      const first = profile.layers.findIndex(({ type }) => type === "decoder");
      expect(split.stages[0].end).toBeGreaterThanOrEqual(first);
      for (const [q, entry] of entries.entries()) {
        const own = profile.layers.slice(split.stages[q].first, split.stages[q].end);
        expect(entry.replaceAll(/[EL]/g, "")).toHaveLength(own.filter(({ type }) => type === "decoder").length);
      }
      expect(split.fits).toBe(true);
      expect(split.bytes).toBeLessThanOrEqual(memory);
      // The first N decoder layers of every (virtual) stage.
      const blocks = /--recompute-method block \\\n--recompute-num-layers (\d+)/.exec(handover.text);
      const all = handover.text.includes("--recompute-method uniform");
      for (const stage of split.stages) {
        const from = Math.max(stage.first, first);
        const count = Math.max(0, stage.end - from - (stage.end === profile.layers.length ? 1 : 0));
        const wanted = all ? count : Math.min(count, Number(blocks?.[1] ?? 0));
        const seen = stage.recomputed.filter((l) => l >= first);
        expect(seen).toEqual(Array.from({ length: wanted }, (_, i) => from + i));
      }
      expect(split.stepMs).toBeGreaterThanOrEqual(plan.stepMs * (plan.isProven ? 1 : 0.97));
    },
  );

  test("what it cannot express is reported, with what that costs", () => {
    const { plan, handover } = handed.internvl;
    const share = (((handover.split?.stepMs ?? 0) / plan.stepMs - 1) * 100).toFixed(1);
    expect(Number(share)).toBeGreaterThan(10);
    expect(handover.notes[0]).toMatch(
      /^the encoder, its projector and the embedding stay on stage 0, which keeps 0 decoder layers; /,
    );
    expect(handover.notes.join("\n")).toContain(
      `a step takes ${handover.split?.stepMs.toFixed(1)} ms, ${share} % longer than planned`,
    );
    expect(handover.notes.join("\n")).toContain("variable_seq_lengths");
    expect(handed.interleaved.handover.notes.join("\n")).toContain(
      "micro-batches (16) must stay a multiple of the 4 stages",
    );
  });

  test("what does not fit that way, or is no model of its kind, has no text", () => {
    const small = smallProfile();
    const heavy = small.layers.map((layer) => ({ ...layer, parameterBytes: layer.type === "vit" ? 10e9 : 1e9 }));
    const apart = hand("megatron", { ...small, layers: heavy }, { stages: 3, microBatches: 4 });
    expect(apart.plan.stages[0].end).toBe(1);
    expect(apart.handover).toMatchObject({
      text: "",
      notes: [expect.stringContaining("nothing fits with the encoder")],
    });
    const gpipe = hand("megatron", internvl, { stages: 4, microBatches: 4, memory: 200e9, schedule: "gpipe" });
    expect(gpipe.handover).toMatchObject({ text: "", notes: ["Megatron has no schedule like GPipe: plan for 1f1b"] });
    const profile = smallProfile();
    const other = {
      ...profile,
      layers: profile.layers.map((layer, l) => ({ ...layer, type: l === 5 ? "adapter" : layer.type })),
    };
    for (const name of ["megatron", "torchtitan", "automodel"]) {
      const { handover } = hand(name, other, { stages: 2, microBatches: 4 });
      expect(handover).toMatchObject({
        text: "",
        notes: [expect.stringContaining("no layers of type decoder in one piece")],
      });
    }
  });
});

const parted = { internvl: [internvl, 4, 90e9], qwen: [qwen, 8, 40e9], deepseek: [deepseek, 8, 40e9] } as const;

describe("torchtitan and automodel", () => {
  test.each(Object.entries(parted))("%s: every module is in one part", (_, [profile, stages, memory]) => {
    const options = { stages, microBatches: 16, memory };
    const titan = hand("torchtitan", profile, options);
    const lists = Array.from(
      titan.handover.text.matchAll(/^ {8}(\[.*\]),$/gm),
      ([, list]) => JSON.parse(list) as string[],
    );
    expect(lists).toHaveLength(stages);
    const decoders = profile.layers.filter(({ type }) => type === "decoder");
    const hasVision = profile.layers.some(({ type }) => type === "vit");
    expect(lists.flat()).toEqual([
      ...(hasVision ? ["vision_encoder"] : []),
      ...["tok_embeddings", ...decoders.map((_, l) => `layers.${l}`), "norm", "lm_head"],
    ]);
    expect(titan.handover.text).toContain(`pipeline_parallel_degree=${stages},`);
    expect(titan.handover.split?.fits).toBe(true);
    const auto = hand("automodel", profile, options);
    const parts = Array.from(
      auto.handover.text.matchAll(/^ {6}- (\[.*\])$/gm),
      ([, list]) => JSON.parse(list) as string[],
    );
    expect(parts).toHaveLength(stages);
    const named = parts.flat().filter((name) => !name.endsWith("rotary_emb"));
    expect(new Set(named).size).toBe(named.length);
    for (const { name } of decoders) expect(named).toContain(name);
    expect(parts.every((part) => part.some((name) => name.endsWith("rotary_emb")))).toBe(true);
    expect(auto.handover.split?.stepMs).toBe(titan.handover.split?.stepMs);
  });
});

test("deepspeed and json: as planned, to the layer", () => {
  const { handover, plan } = hand("deepspeed", internvl, { stages: 4, microBatches: 16, memory: 76e9 });
  expect(handover.text).toContain(`PARTS = [0, ${plan.cuts.join(", ")}, 97]`);
  const json = hand("json", internvl, { stages: 4, microBatches: 16, memory: 76e9 });
  const { parts, stepMs } = JSON.parse(json.handover.text);
  expect(stepMs).toBe(plan.stepMs);
  expect(parts.flatMap((part: { layers: string[] }) => part.layers)).toEqual(internvl.layers.map(({ name }) => name));
  const again = plan.stages.flatMap(({ recomputed }) => recomputed.map((l) => internvl.layers[l].name));
  expect(again.length).toBeGreaterThan(0);
  expect(parts.flatMap((part: { recomputed: string[] }) => part.recomputed)).toEqual(again);
});

/** All that ask, found without being imported: that takes them seconds. */
function trainersMissing(): string | undefined {
  const modules = ["megatron.core", "torchtitan", "deepspeed", "torch", "yaml"];
  const find = "import importlib.util as u, sys; sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))";
  return runs(python, ["-c", find, ...modules])
    ? undefined
    : "the trainers are not there: .venv/bin/pip install -r tests/model/requirements.txt (6 GB)";
}

describe("read by the trainers themselves", { timeout: 300_000 }, () => {
  const testThere = whenThere(trainersMissing());
  const host = fileURLToPath(new URL("trainers_host.py", import.meta.url));
  const ask = (questions: Record<string, unknown[][]>) => {
    const env = { ...process.env, DS_ACCELERATOR: "cpu" };
    const text = execFileSync(python, [host], {
      ...{
        input: JSON.stringify(questions),
        encoding: "utf8",
        env,
        stdio: ["pipe", "pipe", "ignore"],
        timeout: 240_000,
      },
    });
    const answers = JSON.parse(text.slice(text.lastIndexOf("\n{") + 1));
    for (const [name, answer] of Object.entries(answers)) expect(answer, name).not.toHaveProperty("error");
    return answers;
  };

  testThere("megatron's parser has the layers of the split on each rank", async () => {
    const all = Object.values(handed);
    const decoders = ({ profile }: Handed) => profile.layers.filter(({ type }) => type === "decoder").length;
    const { megatron } = ask({
      megatron: all.map((given) => [layoutOf(given.handover), given.plan.shape.stages, decoders(given)]),
    });
    expect(megatron).toHaveLength(all.length);
    for (const [i, given] of all.entries()) {
      const { stages, chunks } = given.plan.shape;
      for (let rank = 0; rank < stages; rank++) {
        for (let chunk = 0; chunk < chunks; chunk++) {
          const { first, end } = (given.handover.split as Split).stages[chunk * stages + rank];
          const kinds = given.profile.layers.slice(first, end).map(({ type }) => type);
          const wanted = kinds.filter((type) => type === "decoder" || type === "embedding" || type === "head");
          expect(megatron[i][rank][chunk]).toEqual(wanted.map((type) => (type === "head" ? "loss" : type)));
        }
      }
    }
  });

  testThere("torchtitan, automodel, deepspeed", async () => {
    const titan = hand("torchtitan", internvl, { stages: 4, microBatches: 16, memory: 90e9 });
    const auto = hand("automodel", internvl, { stages: 4, microBatches: 16, memory: 90e9 });
    const deep = hand("deepspeed", internvl, { stages: 4, microBatches: 16, memory: 76e9 });
    const seen = ask({
      torchtitan: [[titan.handover.text]],
      automodel: [[auto.handover.text]],
      deepspeed: [[deep.handover.text, internvl.layers.length, 4]],
    });
    expect(seen.torchtitan[0]).toMatchObject({ schedule: "Schedule1F1B", degree: 4 });
    expect(seen.torchtitan[0].parts.flat()).toContain("layers.47");
    expect(seen.automodel[0].distributed).toMatchObject({ pp_size: 4, pipeline: { pp_schedule: "1f1b" } });
    expect(seen.automodel[0].distributed.pipeline.module_fqns_per_model_part).toHaveLength(4);
    for (const [s, stage] of deep.plan.stages.entries()) {
      expect(seen.deepspeed[0][s]).toEqual({
        ran: Array.from({ length: stage.end - stage.first }, (_, l) => stage.first + l),
        again: stage.recomputed,
      });
    }
  });

  testThere("a profile measured by the example plans", async () => {
    const { profile } = ask({ profile: [[example]] });
    const measured = checkProfile(profile[0]);
    expect(measured.layers.map(({ parameterBytes }) => parameterBytes / 18)).toEqual([6400, 33_088, 33_088, 6500]);
    const [, block, , head] = measured.layers;
    // 512 tokens of 64 floats in, 256 before and after the activation.
    expect(block.recomputedBytes).toBe(512 * 64 * 4);
    expect(block.keptBytes).toBe(512 * (64 + 256 + 256) * 4);
    expect(block.outputBytes).toBe(512 * 64 * 4);
    expect(head.outputBytes).toBe(512 * 100 * 4);
    expect(block.forwardMs).toBeGreaterThan(0);
    expect(block.backwardMs).toBeGreaterThan(0);
    expect(planModel(core, measured, { stages: 2, microBatches: 4 }).fits).toBe(true);
  });
});
