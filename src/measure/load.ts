// Models from folders: for Node and Deno. Pages have ./load-files.ts.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../core/errors.ts";
import { onlyNames } from "../core/options.ts";
import { isObject } from "./conversation.ts";
import { customModel, type Model } from "./model.ts";
import { JSON_FILES, type ModelFiles, parseModelFile, TEMPLATE_FILE } from "./model-files.ts";
import { type LoadModelOptions, MODEL_OPTIONS } from "./model-options.ts";
import { filesOf, type GivenFiles, givenSource, type ModelSource, modelOf, sourceOfFiles } from "./source.ts";
import { libraryCounter } from "./tokenizer/library.ts";

/** No file of a checkpoint that is read here is larger. */
const LARGEST = 1 << 28;

async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST)
      throw new InputError("INVALID_FILE", `${path}: ${size} bytes, a model has no such file this large`);
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
  return text === undefined ? undefined : parseModelFile(path, text);
}

/**
 * Reads a checkpoint's files from a folder; missing ones are left out.
 *
 * @throws InputError INVALID_FILE for one that cannot be read, is not JSON, or is larger than 256 MiB.
 */
export async function readModelFiles(folder: string): Promise<ModelFiles> {
  const entries = await Promise.all(
    JSON_FILES.map(async (name) => [name, await readJson(join(folder, name))] as const),
  );
  const template = await readText(join(folder, TEMPLATE_FILE));
  const found: Record<string, unknown> = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  if (template !== undefined) found[TEMPLATE_FILE] = template;
  return found as ModelFiles;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** The files of a tokenizer that is given apart. */
async function tokenizerFiles(tokenizer: LoadModelOptions["tokenizer"]): Promise<ModelFiles> {
  if (tokenizer === undefined) return {};
  if (typeof tokenizer !== "string") return filesOf(tokenizer);
  const files = await readModelFiles(tokenizer);
  if (Object.keys(files).length > 0) return files;
  throw new InputError("INVALID_FILE", `${tokenizer}: no tokenizer.json in this folder`);
}

/**
 * The files and options of a model: a folder of a checkpoint or its files, the name of a released model, or a JSON file
 * with a rule.
 *
 * @throws InputError, OptionError that name what is missing or not known.
 */
export async function modelSource(model: string | GivenFiles, options: LoadModelOptions = {}): Promise<ModelSource> {
  const tokenizer = await tokenizerFiles(options.tokenizer);
  const { tokenizer: _tokenizer, library: _library, ...own } = options;
  if (typeof model === "string") {
    if (await isFolder(model)) {
      const files = await readModelFiles(model);
      if (Object.keys(files).length === 0) {
        throw new InputError("INVALID_FILE", `${model}: no file of a model in this folder, such as config.json`);
      }
      return sourceOfFiles(files, tokenizer, own);
    }
    if (/\.json$/i.test(model)) {
      const json = await readJson(model);
      if (json === undefined) throw new InputError("INVALID_FILE", `${model}: no such file`);
      if (!isObject(json)) throw new InputError("INVALID_FILE", `${model}: expected an object with "rule"`);
      const { family, files, set } = customModel(json, tokenizer);
      return { family, files, options: { ...own, set: { ...set, ...own.set } } };
    }
    if (/[/\\]/.test(model)) throw new InputError("INVALID_FILE", `${model}: no such folder`);
  }
  return givenSource(model, { ...own, tokenizer });
}

/**
 * Makes a model: from the folder of a checkpoint or its files, a released model's name (`internvl2.5`, `qwen2.5-vl`),
 * or a JSON file with a rule. Texts are counted by tables if they can be made from the tokenizer, else by an installed
 * library.
 *
 * @throws InputError INVALID_FILE for files that cannot be used; OptionError INVALID_OPTION for unknown names.
 */
export async function loadModel(model: string | GivenFiles, options: LoadModelOptions = {}): Promise<Model> {
  onlyNames("loadModel", options, MODEL_OPTIONS);
  return modelOf(await modelSource(model, options), options.library, (json) => libraryCounter(json, false));
}
