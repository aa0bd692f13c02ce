// Models where there is no file system.
import { onlyNames } from "../core/options.ts";
import type { Model } from "./model.ts";
import { type LoadModelOptions, MODEL_OPTIONS } from "./model-options.ts";
import { type GivenFiles, givenSource, modelOf } from "./source.ts";

/**
 * Makes a model: from the files of a checkpoint, as `File`s or parsed, or a released model's name (`internvl2.5`,
 * `qwen2.5-vl`) with the files of its tokenizer. Texts are counted by tables if they can be made from the tokenizer,
 * else by `library`.
 *
 * @throws InputError INVALID_FILE for files that cannot be used; OptionError INVALID_OPTION for unknown names.
 */
export async function loadModel(model: string | GivenFiles, options: LoadModelOptions = {}): Promise<Model> {
  onlyNames("loadModel", options, MODEL_OPTIONS);
  return modelOf(await givenSource(model, options), options.library, async () => undefined);
}
