// A model before its tokenizer is made, from whatever names it or holds its files.
import { OptionError } from "../core/errors.ts";
import type { Family } from "./families/index.ts";
import { familyOfFiles, Model, publishedFiles, tokenizerOf } from "./model.ts";
import { type ModelFile, type ModelFiles, readEach } from "./model-files.ts";
import type { LoadModelOptions, ModelOptions } from "./model-options.ts";
import { type Counter, TableCounter } from "./tokenizer/counter.ts";
import { scriptCounter } from "./tokenizer/library.ts";
import { compile, type Tables, Unrecognized } from "./tokenizer/tables.ts";

/** What workers are sent, tables apart. */
export interface ModelSource {
  readonly family: Family;
  readonly files: ModelFiles;
  readonly options: ModelOptions;
}

/** The files of a checkpoint: parsed, or as a page gets them. */
export type GivenFiles = ModelFiles | Iterable<ModelFile>;

export async function filesOf(given: GivenFiles): Promise<ModelFiles> {
  return Symbol.iterator in given ? readEach(given) : given;
}

/**
 * The source in files of a checkpoint, those of its tokenizer among them or apart.
 *
 * @throws InputError INVALID_FILE for a family that is not known.
 */
export function sourceOfFiles(files: ModelFiles, texts: ModelFiles, options: ModelOptions): ModelSource {
  const all = { ...files, ...texts };
  return { family: familyOfFiles(all), files: all, options };
}

/**
 * A released model by its name, or the files of a checkpoint.
 *
 * @throws InputError, OptionError that name what is missing or not known.
 */
export async function givenSource(
  model: string | GivenFiles,
  { tokenizer, library: _library, ...options }: LoadModelOptions,
): Promise<ModelSource> {
  if (typeof tokenizer === "string") {
    throw new OptionError(
      "INVALID_OPTION",
      "tokenizer is a path, expected the files of a tokenizer where there are no folders",
    );
  }
  const texts = tokenizer === undefined ? {} : await filesOf(tokenizer);
  if (typeof model === "string") return { ...publishedFiles(model, texts), options };
  return sourceOfFiles(await filesOf(model), texts, options);
}

/** Makes a model with a counter, which may be undefined. */
export function makeModel({ family, files, options }: ModelSource, counter: Counter | undefined): Model {
  return new Model(family, files, counter, options);
}

/** Tables of a source's tokenizer, or why there are none; undefined without a tokenizer. */
export function sourceTables({ family, files }: ModelSource): Tables | Unrecognized | undefined {
  const json = tokenizerOf(family, files);
  if (json === undefined) return undefined;
  try {
    return compile(json);
  } catch (error) {
    if (error instanceof Unrecognized) return error;
    throw error;
  }
}

export function needsLibrary(why: Unrecognized): OptionError {
  return new OptionError(
    "INVALID_OPTION",
    `this tokenizer is not counted here: ${why.message}; install tokenizers or @huggingface/tokenizers for it, or give the latter as library`,
  );
}

/** Makes the model of a source; `otherwise` gives a counter where there are no tables of the tokenizer. */
export async function modelOf(
  source: ModelSource,
  library: LoadModelOptions["library"],
  otherwise: (json: Readonly<Record<string, unknown>>) => Promise<Counter | undefined>,
): Promise<Model> {
  const tables = sourceTables(source);
  if (tables === undefined) return makeModel(source, undefined);
  if (!(tables instanceof Unrecognized)) return makeModel(source, new TableCounter(tables));
  const json = tokenizerOf(source.family, source.files) as Readonly<Record<string, unknown>>;
  const counter = library === undefined ? await otherwise(json) : scriptCounter(library, json);
  if (counter === undefined) throw needsLibrary(tables);
  return makeModel(source, counter);
}
