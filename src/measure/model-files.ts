// The files of a checkpoint that decide what samples cost, wherever they come from.
import { InputError } from "../core/errors.ts";

/** The files of a checkpoint that decide what samples cost, parsed if they are JSON. Missing files are left out. */
export interface ModelFiles {
  /** Names the family (`model_type`), and has its sizes. */
  readonly "config.json"?: unknown;
  /** Parameters of the image processor. */
  readonly "preprocessor_config.json"?: unknown;
  /** Parameters of the video processor; older checkpoints have them in preprocessor_config.json. */
  readonly "video_preprocessor_config.json"?: unknown;
  /** Parameters of the processor, and in newer checkpoints those of the image and the video processor. */
  readonly "processor_config.json"?: unknown;
  /** Vocabulary, merges and added tokens. Needed to count texts. */
  readonly "tokenizer.json"?: unknown;
  /** Special tokens, and perhaps the chat template. */
  readonly "tokenizer_config.json"?: unknown;
  /** Special tokens. */
  readonly "special_tokens_map.json"?: unknown;
  /** The chat template. */
  readonly "chat_template.json"?: unknown;
  /** The chat template, as text. */
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

/** Parses a JSON file, which messages call `path`. @throws InputError INVALID_FILE for text that is not JSON. */
export function parseModelFile(path: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new InputError("INVALID_FILE", `${path}: not JSON`, { cause: error });
  }
}

/** A file of a checkpoint; a `File` that was dropped on a page is one. */
export interface ModelFile {
  /** Its name alone, without folders. */
  readonly name: string;
  /** Its contents. */
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
