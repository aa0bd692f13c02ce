// Models where there is no file system.
import { onlyNames } from "../core/options.ts";
import type { Model } from "./model.ts";
import { type LoadModelOptions, MODEL_OPTIONS } from "./model-options.ts";
import { type GivenFiles, givenSource, modelOf } from "./source.ts";

/**
 * A model: the files of a checkpoint, as `File`s by their names or parsed, or a released model by name (`internvl2.5`,
 * `qwen2.5-vl`) with the files of its tokenizer. Texts are counted by tables where the tokenizer is known, else by
 * `library`.
 *
 * @throws InputError INVALID_FILE for files that cannot be used; OptionError INVALID_OPTION for names that are not known.
 */
export async function loadModel(model: string | GivenFiles, options: LoadModelOptions = {}): Promise<Model> {
  onlyNames("loadModel", options, MODEL_OPTIONS);
  return modelOf(await givenSource(model, options), options.library, async () => undefined);
}
