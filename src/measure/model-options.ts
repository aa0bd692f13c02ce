import { type NamesOf, OWN, type Spec } from "../core/options.ts";
import type { ModelFile, ModelFiles } from "./model-files.ts";
import type { TokenizerLibrary } from "./tokenizer/library.ts";

/** What may differ from the checkpoint. */
export interface ModelOptions {
  /**
   * Parameters that replace the checkpoint's, by name: `max_pixels`, `video.fps` and so on. Unknown names are refused.
   */
  readonly set?: Readonly<Record<string, unknown>>;
  /** The name of a chat format, such as `internvl2_5`, or the text of a chat template. Default: the checkpoint's. */
  readonly template?: string;
  /** Whether the template gets contents as typed parts or as text. Default: `auto`, whichever it takes. */
  readonly content?: "auto" | "parts" | "text";
  /** Whether pictures are turned as their EXIF orientation says. Default: as the family's own loader does. */
  readonly exif?: "transpose" | "ignore";
}

/** What `loadModel` takes. */
export interface LoadModelOptions extends ModelOptions {
  /** The folder of the tokenizer, or its files, for a model that is given by its name or as a JSON file. */
  readonly tokenizer?: string | ModelFiles | Iterable<ModelFile>;
  /**
   * The module `@huggingface/tokenizers`, for tokenizers that cannot be counted by tables. Node and Deno load it by
   * themselves if it is installed.
   */
  readonly library?: TokenizerLibrary;
}

/** How a model is made: the options of `loadModel`, and of `measure` among others. */
export const MODEL_OPTIONS = {
  tokenizer: { kind: "text", argument: "DIR", about: "the folder of the tokenizer, if MODEL has none" },
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
      "a parameter that replaces the model's, such as max_pixels=1003520 or, for videos, video.fps=1; separate several by commas",
  },
  library: OWN,
} as const satisfies NamesOf<LoadModelOptions, Spec>;
