import { InputError, OptionError, show } from "../../core/errors.ts";
import { deepseekVl2 } from "./deepseek-vl2.ts";
import type { Family, Published } from "./family.ts";
import { gemma3 } from "./gemma3.ts";
import { gemma4 } from "./gemma4.ts";
import { glm4v } from "./glm4v.ts";
import { glm46v } from "./glm46v.ts";
import { idefics3 } from "./idefics3.ts";
import { internvl } from "./internvl.ts";
import { kimik25 } from "./kimi-k25.ts";
import { kimivl } from "./kimi-vl.ts";
import { llama4 } from "./llama4.ts";
import { llava } from "./llava.ts";
import { llavaNext } from "./llava-next.ts";
import { llavaOnevision } from "./llava-onevision.ts";
import { mistral3 } from "./mistral3.ts";
import { molmo2 } from "./molmo2.ts";
import { paligemma } from "./paligemma.ts";
import { pixtral } from "./pixtral.ts";
import { qwen2vl } from "./qwen2-vl.ts";
import { qwen3vl } from "./qwen3-vl.ts";
import { smolvlm } from "./smolvlm.ts";

export type { Family, ImageRule, Published, Surroundings, VideoRule, Visual } from "./family.ts";
export { type Layer, type Role, Settings, type Value } from "./settings.ts";

/** The model families. A new one is a file beside this one and a line here. */
export const families: readonly Family[] = [
  internvl,
  qwen2vl,
  qwen3vl,
  llava,
  llavaNext,
  llavaOnevision,
  glm4v,
  glm46v,
  gemma3,
  gemma4,
  smolvlm,
  idefics3,
  pixtral,
  mistral3,
  llama4,
  kimivl,
  kimik25,
  paligemma,
  molmo2,
  deepseekVl2,
];

/** The names as sentences list them. */
const known = (names: readonly string[]) => names.join(", ");

/** Every released model by its name. */
export function publishedModels(): ReadonlyMap<
  string,
  {
    /** The family whose rules it follows. */
    readonly family: Family;
    /** The parameters it was released with. */
    readonly published: Published;
  }
> {
  return new Map(
    families.flatMap((family) =>
      Object.entries(family.published).map(([name, published]) => [name, { family, published }] as const),
    ),
  );
}

/** A family by its own name or one of a checkpoint, written with hyphens, underscores or dots, in any case. */
export function familyNamed(name: string): Family | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return families.find((family) => [family.name, ...family.checkpoints].some((other) => plain(other) === plain(name)));
}

/** @throws OptionError INVALID_OPTION for a name that no family has, with those that are known. */
export function requireFamily(name: string): Family {
  const family = familyNamed(name);
  if (family !== undefined) return family;
  throw new OptionError(
    "INVALID_OPTION",
    `${show(name)} is not a model family; known are ${known(families.map((other) => other.name))}`,
  );
}

/**
 * The family of a checkpoint by what its files call it: `model_type` first, then the classes of its processors.
 *
 * @throws InputError INVALID_FILE where none is known: a guess would be a wrong load for every sample.
 */
export function familyOf(names: readonly (readonly [where: string, name: unknown])[]): Family {
  const seen: string[] = [];
  for (const [where, name] of names) {
    if (typeof name !== "string") continue;
    const bare = name.replace(
      /(ImageProcessorFast|ImageProcessorPil|ImageProcessor|VideoProcessor|Processor|ForConditionalGeneration|ForCausalLM)$/,
      "",
    );
    const family = familyNamed(bare) ?? familyNamed(name);
    if (family !== undefined) return family;
    seen.push(`${where} is ${show(name)}`);
  }
  const list = known(families.map((family) => `${family.name} (${family.about})`));
  throw new InputError(
    "INVALID_FILE",
    seen.length === 0
      ? `no file names the model's family; known are ${list}`
      : `${seen.join(", ")}: no known model family; known are ${list}`,
  );
}
