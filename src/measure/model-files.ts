// The files of a checkpoint that decide what samples cost, wherever they come from.
import { InputError } from "../core/errors.ts";

/** The files of a checkpoint, parsed where they are JSON; those that are not there are left out. */
export interface ModelFiles {
  readonly "config.json"?: unknown;
  readonly "preprocessor_config.json"?: unknown;
  readonly "video_preprocessor_config.json"?: unknown;
  readonly "processor_config.json"?: unknown;
  readonly "tokenizer.json"?: unknown;
  readonly "tokenizer_config.json"?: unknown;
  readonly "special_tokens_map.json"?: unknown;
  readonly "chat_template.json"?: unknown;
  /** As text. */
  readonly "chat_template.jinja"?: string;
}

/** Names of files, as checkpoints have them. */
export const JSON_FILES = [
  "config.json",
  "preprocessor_config.json",
  "video_preprocessor_config.json",
  "processor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.json",
] as const;
export const TEMPLATE_FILE = "chat_template.jinja";

/** @throws InputError INVALID_FILE for text that is no JSON; `path` is what messages call it. */
export function parseModelFile(path: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new InputError("INVALID_FILE", `${path}: is no JSON`, { cause: error });
  }
}

/** A file of a checkpoint; a `File` that was dropped on a page is one. */
export interface ModelFile {
  /** Its name alone, without folders. */
  readonly name: string;
  text(): Promise<string>;
}

/** Reads those files of a checkpoint that are needed; others are not looked at. */
export async function readEach(files: Iterable<ModelFile>): Promise<ModelFiles> {
  const found: Record<string, unknown> = {};
  for (const file of files) {
    const { name } = file;
    if (name === TEMPLATE_FILE) found[name] = await file.text();
    else if ((JSON_FILES as readonly string[]).includes(name)) found[name] = parseModelFile(name, await file.text());
  }
  return found as ModelFiles;
}
