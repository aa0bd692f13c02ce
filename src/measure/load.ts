// Models from folders: for Node and Deno. A page has `loadModelFiles` of ./model.ts for files that it was given.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError, OptionError } from "../core/errors.ts";
import { onlyNames } from "../core/options.ts";
import { isObject } from "./conversation.ts";
import type { Family } from "./families/index.ts";
import {
  customModel,
  familyOfFiles,
  Model,
  type ModelFiles,
  publishedFiles,
  tableCounter,
  tokenizerOf,
} from "./model.ts";
import { type LoadModelOptions, MODEL_OPTIONS, type ModelOptions } from "./model-options.ts";
import type { Counter } from "./tokenizer/counter.ts";
import { libraryCounter } from "./tokenizer/library.ts";
import { compile, type Tables, Unrecognized } from "./tokenizer/tables.ts";

const JSON_FILES = [
  "config.json",
  "preprocessor_config.json",
  "video_preprocessor_config.json",
  "processor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.json",
] as const;
const TEMPLATE = "chat_template.jinja";

/** No file of a checkpoint that is read here is larger. */
const LARGEST = 1 << 28;

async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST)
      throw new InputError("INVALID_FILE", `${path}: ${size} bytes, no such file of a model is so large`);
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (error instanceof InputError) throw error;
    throw new InputError("INVALID_FILE", `${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}

async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new InputError("INVALID_FILE", `${path}: is no JSON`, { cause: error });
  }
}

/** The files of a checkpoint in a folder, those that there are. */
export async function readModelFiles(folder: string): Promise<ModelFiles> {
  const entries = await Promise.all(
    JSON_FILES.map(async (name) => [name, await readJson(join(folder, name))] as const),
  );
  const template = await readText(join(folder, TEMPLATE));
  const found: Record<string, unknown> = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  if (template !== undefined) found[TEMPLATE] = template;
  return found as ModelFiles;
}

/** A model before its tokenizer is made: what workers are sent, tables apart. */
export interface ModelSource {
  readonly family: Family;
  readonly files: ModelFiles;
  readonly options: ModelOptions;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/**
 * The files and options of a model: a folder of a checkpoint, the name of a released model, or a JSON file with a rule.
 *
 * @throws InputError, OptionError that name what is missing or not known.
 */
export async function modelSource(
  model: string,
  { tokenizer, ...options }: LoadModelOptions = {},
): Promise<ModelSource> {
  const texts = tokenizer === undefined ? {} : await readModelFiles(tokenizer);
  if (tokenizer !== undefined && Object.keys(texts).length === 0) {
    throw new InputError("INVALID_FILE", `${tokenizer}: no tokenizer.json in this folder`);
  }
  if (await isFolder(model)) {
    const files = await readModelFiles(model);
    if (Object.keys(files).length === 0) {
      throw new InputError("INVALID_FILE", `${model}: no file of a model in this folder, such as config.json`);
    }
    const all = { ...files, ...texts };
    return { family: familyOfFiles(all), files: all, options };
  }
  if (/\.json$/i.test(model)) {
    const json = await readJson(model);
    if (json === undefined) throw new InputError("INVALID_FILE", `${model}: no such file`);
    if (!isObject(json)) throw new InputError("INVALID_FILE", `${model}: expected an object with "rule"`);
    const { family, files, set } = customModel(json, texts);
    return { family, files, options: { ...options, set: { ...set, ...options.set } } };
  }
  if (/[/\\]/.test(model)) throw new InputError("INVALID_FILE", `${model}: no such folder`);
  return { ...publishedFiles(model, texts), options };
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

/**
 * A model: the folder of a checkpoint, a released model by name (`internvl2.5`, `qwen2.5-vl`), or a JSON file with a
 * rule. Texts are counted by tables where the tokenizer is known, else by a library that is installed.
 *
 * @throws InputError INVALID_FILE for files that cannot be used; OptionError INVALID_OPTION for names that are not known.
 */
export async function loadModel(model: string, options: LoadModelOptions = {}): Promise<Model> {
  onlyNames("loadModel", options, MODEL_OPTIONS);
  const source = await modelSource(model, options);
  const tables = sourceTables(source);
  if (tables === undefined) return makeModel(source, undefined);
  if (!(tables instanceof Unrecognized)) return makeModel(source, tableCounter(tables));
  const json = tokenizerOf(source.family, source.files) as Record<string, unknown>;
  const counter = await libraryCounter(json, false);
  if (counter === undefined) throw needsLibrary(tables);
  return makeModel(source, counter);
}

export function needsLibrary(why: Unrecognized): OptionError {
  return new OptionError(
    "INVALID_OPTION",
    `this tokenizer is not counted here: ${why.message}; install tokenizers or @huggingface/tokenizers for it`,
  );
}
