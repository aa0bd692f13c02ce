import type { Split, StageFigures } from "../split.ts";
import {
  aroundDecoder,
  bestByRule,
  counted,
  isSame,
  longer,
  milliseconds,
  NO_DECODER,
  recomputableLayers,
  rolesOf,
  type Trainer,
} from "./handover.ts";

/** A letter and its count in Megatron's layout, such as `t*16`; empty for 0. */
function times(letter: string, count: number): string {
  return count === 0 ? "" : count === 1 ? letter : `${letter}*${count}`;
}

/** The layout of `--pipeline-model-parallel-layout`: an entry per virtual stage, entry q on rank q % stages. */
export function megatronLayout(stages: readonly StageFigures[], firstDecoder: number, endDecoder: number): string {
  return stages
    .map(({ first, end }, q) => {
      const decoders = Math.max(0, Math.min(end, endDecoder) - Math.max(first, firstDecoder));
      return `${q === 0 ? "E" : ""}${times("t", decoders)}${q === stages.length - 1 ? "L" : ""}`;
    })
    .join("|");
}

export const megatron: Trainer = {
  name: "megatron",
  about: "Megatron-LM, Megatron-Core: command-line flags",
  write(input) {
    const { profile, plan, options } = input;
    const roles = rolesOf(profile);
    if (roles === undefined) return { text: "", notes: [NO_DECODER] };
    const { firstDecoder, endDecoder, hasEncoder } = roles;
    const { stages: ranks, chunks, schedule, microBatches } = plan.shape;
    if (schedule === "gpipe") return { text: "", notes: ["Megatron has no schedule like GPipe: plan for 1f1b"] };
    const around = aroundDecoder(input, roles);
    const free = recomputableLayers(input);
    // The encoder has a configuration of its own: all or nothing. In the decoder, the first N layers of each chunk.
    const rules = function* () {
      const most = Math.min(endDecoder - firstDecoder, Math.ceil(((endDecoder - firstDecoder) * 3) / (ranks * chunks)));
      for (const encoder of hasEncoder ? [0, 1] : [0]) {
        for (let count = 0; count <= most + 1; count++) {
          const all = count > most;
          const kinds = free.map((can, l) => {
            if (l < firstDecoder) return can & encoder;
            return l < endDecoder && can === 1 ? (all ? 1 : 2) : 0;
          });
          yield [{ encoder: encoder === 1, count, all }, kinds, count] as const;
        }
      }
    };
    const best = bestByRule(input, around, rules());
    if (best === undefined) {
      const what = hasEncoder
        ? "with the encoder and the embedding on stage 0"
        : "with a number of layers for all stages";
      return { text: "", notes: [`nothing fits ${what} and one number of recomputed layers for all stages`] };
    }
    const { rule, plan: own } = best;
    const flags = [
      `--pipeline-model-parallel-size ${ranks}`,
      `--pipeline-model-parallel-layout "${megatronLayout(own.stages, firstDecoder, endDecoder)}"`,
    ];
    const recomputes = own.stages.some(({ recomputed }) => recomputed.some((l) => l >= firstDecoder));
    if (rule.all) flags.push("--recompute-granularity full", "--recompute-method uniform", "--recompute-num-layers 1");
    else if (recomputes) {
      flags.push("--recompute-granularity full", "--recompute-method block", `--recompute-num-layers ${rule.count}`);
    }
    const notes: string[] = [];
    if (hasEncoder) {
      const kept = Math.max(0, own.stages[0].end - firstDecoder);
      notes.push(
        `the encoder, its projector and the embedding stay on stage 0, which keeps ${counted(kept, "decoder layer")}${rule.encoder ? "; recompute the encoder's layers (its own configuration)" : "; the encoder is not recomputed"}`,
      );
    }
    notes.push(...chunkNotes(own, plan, recomputes, rule.count));
    if (Object.keys(options.loads?.mean ?? profile.loads ?? {}).length > 0) {
      notes.push("micro-batches of unequal length need variable_seq_lengths in the model's configuration");
    }
    if (chunks > 1) notes.push(`micro-batches (${microBatches}) must stay a multiple of the ${ranks} stages`);
    return { text: `${flags.join(" \\\n")}\n`, notes, split: own };
  },
};

function chunkNotes(own: Split, plan: Split, recomputes: boolean, count: number): string[] {
  if (isSame(own, plan)) return [];
  const how = recomputes ? `it recomputes the first ${counted(count, "layer")} of every stage alike, and ` : "";
  return [`${how}a step takes ${milliseconds(own.stepMs)}, ${longer(own, plan)} than planned`];
}
