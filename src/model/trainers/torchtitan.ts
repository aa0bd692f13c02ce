import { isParts, planParts } from "./fqns.ts";
import type { Trainer } from "./handover.ts";

const SCHEDULES = { gpipe: "GPipe", "1f1b": "1F1B", interleaved: "Interleaved1F1B" } as const;

export const torchtitan: Trainer = {
  name: "torchtitan",
  about: "TorchTitan: fields of its configuration, in Python",
  write(input) {
    const parts = planParts(input);
    if (!isParts(parts)) return parts;
    const { split, roles, recompute, notes } = parts;
    const { firstDecoder, endDecoder, hasEncoder } = roles;
    // TorchTitan calls the modules of every model by these names.
    const names = split.stages.map(({ first, end }, q) => {
      const from = Math.max(first, firstDecoder);
      const decoders = Array.from(
        { length: Math.max(0, Math.min(end, endDecoder) - from) },
        (_, l) => `layers.${from - firstDecoder + l}`,
      );
      const before = q === 0 ? [...(hasEncoder ? ["vision_encoder"] : []), "tok_embeddings"] : [];
      return [...before, ...decoders, ...(q === split.stages.length - 1 ? ["norm", "lm_head"] : [])];
    });
    const lines = names.map((part) => `        ${JSON.stringify(part)},`);
    const { stages, schedule } = input.plan.shape;
    const text = `parallelism=ParallelismConfig(
    pipeline_parallel_degree=${stages},
    pipeline_parallel_schedule="${SCHEDULES[schedule]}",
    module_fqns_per_model_part=[
${lines.join("\n")}
    ],
),
activation_checkpoint=${recompute ? "FullAC.Config()" : "None"},
`;
    return { text, notes, split };
  },
};
