import { type NamesOf, OWN, type Spec } from "../core/options.ts";
import type { ModelFile, ModelFiles } from "./model-files.ts";
import type { TokenizerLibrary } from "./tokenizer/library.ts";

export interface ModelOptions {
  /** Parameters in place of the checkpoint's: `max_pixels`, `video.fps` and so on. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** A chat format by name (internvl2_5 and the like), or the text of a chat template. */
  readonly template?: string;
  /** How contents are handed to the template. Default: as the template takes them. */
  readonly content?: "auto" | "parts" | "text";
  /** Whether pictures are turned as EXIF says. Default: as the family's own loader does. */
  readonly exif?: "transpose" | "ignore";
}

export interface LoadModelOptions extends ModelOptions {
  /** The folder of the tokenizer, or its files, for a model that is given by name or as a JSON file. */
  readonly tokenizer?: string | ModelFiles | Iterable<ModelFile>;
  /**
   * The module `@huggingface/tokenizers`, for tokenizers that have no tables here. Node and Deno load it by themselves
   * where it is installed.
   */
  readonly library?: TokenizerLibrary;
}

/** How a model is made: the options of `loadModel`, and of `measure` among others. */
export const MODEL_OPTIONS = {
  tokenizer: { kind: "text", argument: "DIR", about: "the folder of the tokenizer, where MODEL has none" },
  template: {
    kind: "text",
    argument: "T",
    about:
      "a chat format by name (internvl2_5, internlm2-chat, phi3-chat, Hermes-2, paligemma), or a file with a chat template",
    usual: "the model's own",
  },
  content: {
    kind: "choice",
    names: ["auto", "parts", "text"],
    argument: "HOW",
    about: "whether the template gets contents as parts or as text",
    default: "auto",
    usual: "auto, whichever it takes",
  },
  exif: {
    kind: "choice",
    names: ["transpose", "ignore"],
    argument: "HOW",
    about: "transpose pictures as their EXIF orientation says, or ignore it",
    usual: "as the model's own loader does",
  },
  set: {
    kind: "own",
    argument: "NAME=VALUE",
    about:
      "a parameter in place of the model's, such as max_pixels=1003520 or, for videos, video.fps=1; several with commas between",
  },
  library: OWN,
} as const satisfies NamesOf<LoadModelOptions, Spec>;
