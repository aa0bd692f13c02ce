import { isParts, planParts } from "./fqns.ts";
import type { Trainer } from "./handover.ts";

const SCHEDULES = { gpipe: "gpipe", "1f1b": "1f1b", interleaved: "interleaved_1f1b" } as const;

/** The longest dotted name that all of these start with. */
function commonModule(names: readonly string[]): string {
  const parts = names.map((name) => name.split("."));
  let length = 0;
  while (parts.every((part) => part.length > length && part[length] === parts[0][length])) length++;
  return parts[0].slice(0, length).join(".");
}

export const automodel: Trainer = {
  name: "automodel",
  about: "NeMo Automodel: its YAML",
  write(input) {
    const parts = planParts(input);
    if (!isParts(parts)) return parts;
    const { split, roles, recompute, notes } = parts;
    const { layers } = input.profile;
    const modules = (l: number) => layers[l].modules ?? [layers[l].name];
    const vit = layers.flatMap(({ type }, l) => (l < roles.firstDecoder && type === "vit" ? modules(l) : []));
    const encoder = vit.length > 0 ? commonModule(vit) : "";
    // model.layers.3 rotates by model.rotary_emb, of which each part has its own.
    const rotary = layers[roles.firstDecoder].name.replace(/[^.]+\.\d+$/, "rotary_emb");
    const names = split.stages.map(({ first, end }) => {
      const own: string[] = [];
      for (let l = first; l < end; l++) {
        for (const name of modules(l)) {
          const isInEncoder = encoder !== "" && l < roles.firstDecoder && name.startsWith(`${encoder}.`);
          if (!isInEncoder) own.push(name);
          else if (!own.includes(encoder)) own.push(encoder);
        }
      }
      return rotary === layers[roles.firstDecoder].name ? own : [...own, rotary];
    });
    const { stages, schedule } = input.plan.shape;
    const text = `distributed:
  pp_size: ${stages}
  activation_checkpointing: ${recompute}
  pipeline:
    pp_schedule: ${SCHEDULES[schedule]}
    module_fqns_per_model_part:
${names.map((part) => `      - ${JSON.stringify(part)}`).join("\n")}
`;
    return { text, notes, split };
  },
};
