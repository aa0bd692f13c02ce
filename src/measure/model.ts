// A model: what a picture, a video, a text and a sample cost it. Runs wherever JavaScript does.
import { InputError, OptionError, show } from "../core/errors.ts";
import { onlyNames, take } from "../core/options.ts";
import { quoted } from "../core/printable.ts";
import { type ChatFormat, formatNamed, isFormatName, TemplateFormat, type Written } from "./chat/formats.ts";
import { ChatTemplate, TemplateError, UnsupportedTemplate } from "./chat/template.ts";
import { type Conversation, conversationOf, isObject, type Json, type Picture, type Video } from "./conversation.ts";
import {
  type Family,
  familyOf,
  type ImageRule,
  type Layer,
  publishedModels,
  requireFamily,
  Settings,
  type Value,
  type VideoRule,
  type Visual,
} from "./families/index.ts";
import { pictureSizeOf, seen } from "./images/header.ts";
import type { ModelFiles } from "./model-files.ts";
import { MODEL_OPTIONS, type ModelOptions } from "./model-options.ts";
import type { Count, Counter, Text } from "./tokenizer/counter.ts";
import { withTokens } from "./tokenizer/tables.ts";

/** The loads of a picture or a video. */
export interface VisualLoads {
  /** Tiles or patches, whichever the model's `counts` says. */
  readonly vit: number;
  /** Tokens in the language model. */
  readonly tokens: number;
  /** Sum of patches^2 over what the vision encoder attends within: each tile, image, or temporal step of a video. */
  readonly attention: number;
  /** Frames taken from a video; 0 for a picture. */
  readonly frames: number;
}

/** The loads of a sample. */
export interface SampleLoads {
  /** Tiles or patches, whichever the model's `counts` says. */
  readonly vit: number;
  /** Tokens in the language model, those of pictures and videos included. */
  readonly tokens: number;
  /** Tiles or patches of real pictures: without the blank one that some families give a sample that has none. */
  readonly imageFlags: number;
  /** Pictures. */
  readonly images: number;
  /** Frames taken from videos. */
  readonly frames: number;
  /** Tokens that are trained on; -1 if the record does not tell. */
  readonly labels: number;
  /** Sum of patches^2 over what the vision encoder attends within. */
  readonly attention: number;
}

/** A sample whose text is still to be counted. */
export interface Pending extends Text {
  readonly loads: SampleLoads;
  /** Tokens that the text stands for beside its own. */
  readonly more: number;
  /** Those of them that are trained on. */
  readonly moreLabels: number;
}

/** Finds the size, in pixels, of a picture whose record does not have it. */
export type SizeOf = (picture: Picture) => readonly [height: number, width: number];

const NO_TOKENIZER =
  "the model has no tokenizer.json, without which texts cannot be counted: name its folder (tokenizer)";

const NO_FILE: SizeOf = ({ path }) => {
  throw new InputError(
    "INVALID_INPUT",
    `the size of ${path === undefined ? "a picture" : quoted(path)} is not in the record`,
  );
};

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return isObject(value) && typeof value.content === "string" ? value.content : "";
}

/** Names that templates find beside the messages: bos_token and the like. */
function specialTokens(files: ModelFiles): Record<string, string> {
  const found: Record<string, string> = {};
  for (const source of [files["special_tokens_map.json"], files["tokenizer_config.json"]]) {
    if (!isObject(source)) continue;
    for (const [name, value] of Object.entries(source)) {
      if (/^(bos|eos|unk|sep|pad|cls|mask)_token$/.test(name) && textOf(value) !== "") found[name] = textOf(value);
    }
    const extra = source.extra_special_tokens ?? source.model_specific_special_tokens;
    if (isObject(extra)) for (const [name, value] of Object.entries(extra)) found[name] = textOf(value);
  }
  return found;
}

/** The chat template in the files, wherever it is. */
function templateIn(files: ModelFiles): string | undefined {
  if (files["chat_template.jinja"] !== undefined) return files["chat_template.jinja"];
  for (const source of [files["chat_template.json"], files["processor_config.json"], files["tokenizer_config.json"]]) {
    const template = isObject(source) ? source.chat_template : undefined;
    if (typeof template === "string") return template;
    if (!Array.isArray(template)) continue;
    const named = template.filter(isObject);
    const usual = named.find(({ name }) => name === "default") ?? named[0];
    if (typeof usual?.template === "string") return usual.template;
  }
  return undefined;
}

/** The layers in which the parameters of images, or of videos, are looked up. */
function layersOf(files: ModelFiles, set: Readonly<Record<string, unknown>>, kind: "image" | "video"): Layer[] {
  const layers: Layer[] = [];
  const add = (role: Layer["role"], origin: string, values: unknown) => {
    if (isObject(values)) layers.push({ role, origin, values });
  };
  const given = Object.entries(set).flatMap(([name, value]) => {
    const [, prefix, rest] = /^(image|video)\.(.+)$/.exec(name) ?? [undefined, "image", name];
    return prefix === kind ? [[rest, value] as const] : [];
  });
  add("given", "--set", Object.fromEntries(given));
  const processor = files["processor_config.json"];
  const nested = (name: string) => (isObject(processor) ? processor[name] : undefined);
  add("image", "preprocessor_config.json", files["preprocessor_config.json"]);
  add("image", "processor_config.json: image_processor", nested("image_processor"));
  add("video", "video_preprocessor_config.json", files["video_preprocessor_config.json"]);
  add("video", "processor_config.json: video_processor", nested("video_processor"));
  // Older checkpoints have one file for both.
  if (!layers.some(({ role }) => role === "video"))
    add("video", "preprocessor_config.json", files["preprocessor_config.json"]);
  add("processor", "processor_config.json", processor);
  add("config", "config.json", files["config.json"]);
  const tokenizer = files["tokenizer_config.json"];
  add("tokenizer", "tokenizer_config.json", tokenizer);
  if (isObject(tokenizer)) {
    add("tokenizer", "tokenizer_config.json: extra_special_tokens", tokenizer.extra_special_tokens);
    add("tokenizer", "tokenizer_config.json: model_specific_special_tokens", tokenizer.model_specific_special_tokens);
  }
  return layers;
}

/** The family of a checkpoint, whose files name it. */
export function familyOfFiles(files: ModelFiles): Family {
  const at = (file: keyof ModelFiles, name: string): readonly [string, unknown] => {
    const values = files[file];
    return [`${file}: ${name}`, isObject(values) ? values[name] : undefined];
  };
  return familyOf([
    at("config.json", "model_type"),
    at("processor_config.json", "processor_class"),
    at("preprocessor_config.json", "processor_class"),
    at("preprocessor_config.json", "image_processor_type"),
    at("tokenizer_config.json", "processor_class"),
  ]);
}

/** A model: what a picture, a video, a text and a sample are to it. `loadModel` makes one. */
export class Model {
  /** Whose rules it follows. */
  readonly family: Family;
  /** What `vit` counts. */
  readonly counts: "tiles" | "patches";
  /** The parameters of its rules, by name, as they were found in the files or given. */
  readonly parameters: {
    /** Those for pictures. */
    readonly image: Readonly<Record<string, Value>>;
    /** Those for videos, if it takes any. */
    readonly video?: Readonly<Record<string, Value>>;
  };
  /** Whether pictures are turned as their EXIF orientation says. */
  readonly exif: "transpose" | "ignore";
  /** How texts are counted; undefined without a tokenizer. */
  readonly counter: Counter | undefined;
  /** How conversations are written; undefined without a chat template. @internal */
  readonly format: ChatFormat | undefined;
  readonly #files: ModelFiles;
  readonly #options: ModelOptions;
  readonly #image: ImageRule;
  readonly #video: VideoRule | undefined;
  readonly #dummy: number;

  /** @internal */
  constructor(family: Family, files: ModelFiles, counter: Counter | undefined, options: ModelOptions) {
    this.family = family;
    this.counts = family.counts;
    this.exif = take(MODEL_OPTIONS, "exif", options, family.exif);
    this.counter = counter;
    this.#files = files;
    this.#options = options;
    const set = options.set ?? {};
    const imageSettings = new Settings(layersOf(files, set, "image"));
    const videoSettings = new Settings(layersOf(files, set, "video"));
    this.#image = family.image(imageSettings.fresh());
    this.#video = family.video?.(videoSettings.fresh());
    this.#dummy = family.dummy?.(imageSettings.fresh()) ?? 0;
    this.parameters = {
      image: this.#image.parameters,
      ...(this.#video && { video: this.#video.parameters }),
    };
    this.format = this.#formatOf(imageSettings.fresh());
    this.#refuseUnknown(imageSettings.unknown(), "image");
    this.#refuseUnknown(videoSettings.unknown(), "video");
  }

  /** A misspelt parameter would do nothing, without a word. */
  #refuseUnknown(unknown: readonly string[], kind: "image" | "video"): void {
    const given = Object.fromEntries(unknown.map((name) => [name, true]));
    onlyNames(this.family.name, given, this.parameters[kind] ?? {}, `${kind} parameter`);
  }

  #formatOf(settings: Settings): ChatFormat | undefined {
    const names = specialTokens(this.#files);
    const config = this.#files["config.json"];
    const wanted =
      this.#options.template ?? (isObject(config) && isFormatName(config.template) ? config.template : undefined);
    const [bos, eos] = [names.bos_token ?? "", names.eos_token ?? ""];
    if (wanted !== undefined && !/\{[{%]/.test(wanted)) return formatNamed(wanted, bos, eos);
    const source = wanted ?? templateIn(this.#files);
    if (source === undefined) {
      if (this.family.name === "paligemma") return formatNamed("paligemma", bos, eos);
      // Released models of this family are trained in a format of their own.
      return this.family.name === "internvl" ? formatNamed("internvl2_5", bos, eos) : undefined;
    }
    const placeholders = this.family.placeholders(settings);
    try {
      const template = new ChatTemplate(source, names);
      const inline = placeholders.inline ?? placeholders;
      return new TemplateFormat(template, placeholders, inline, bos, take(MODEL_OPTIONS, "content", this.#options));
    } catch (error) {
      if (!(error instanceof UnsupportedTemplate)) throw error;
      throw new InputError(
        "INVALID_FILE",
        `the chat template has ${error.message}, which is not rendered here as Python does`,
      );
    }
  }

  /** The same model with other parameters for pictures; those that it does not have are ignored. */
  with(set: Readonly<Record<string, unknown>>): Model {
    const own = Object.entries(set).filter(([name]) => name in this.parameters.image);
    return new Model(this.family, this.#files, this.counter, {
      ...this.#options,
      set: { ...this.#options.set, ...Object.fromEntries(own) },
    });
  }

  /** The same model with another way to count. @internal */
  withCounter(counter: Counter): Model {
    return new Model(this.family, this.#files, counter, this.#options);
  }

  /**
   * The loads of a picture of [height, width] pixels in a sample with this many `images`, on which some rules depend.
   *
   * @throws InputError INVALID_INPUT for sizes that are not whole numbers >= 1, or that the model's own processor refuses.
   */
  image([height, width]: readonly [number, number], { images = 1 } = {}): VisualLoads {
    return loadsOf(this.#imageOf(height, width, images));
  }

  #imageOf(height: number, width: number, images: number): Visual {
    if (
      !(
        Number.isInteger(height) &&
        Number.isInteger(width) &&
        height > 0 &&
        width > 0 &&
        Math.max(height, width) < 2 ** 31
      )
    ) {
      throw new InputError(
        "INVALID_INPUT",
        `a picture of ${show(height)} x ${show(width)}, expected [height, width] in pixels`,
      );
    }
    return this.#image.of(height, width, { images });
  }

  /**
   * The loads of a video of [frames, height, width, frames per second]; null for a rate that is not known.
   *
   * @throws InputError INVALID_INPUT for a model that takes no videos, or a video that its own processor refuses.
   */
  video([frames, height, width, fps = null]: readonly [number, number, number, (number | null)?]): VisualLoads {
    return loadsOf(this.#videoOf({ count: frames, size: [height, width], fps }, NO_FILE));
  }

  #videoOf(video: Video, sizeOf: SizeOf): Visual {
    const rule = this.#video;
    if (rule === undefined) throw new InputError("INVALID_INPUT", `${this.family.name} takes no videos`);
    const { frames, fps } = video;
    const count = frames?.length ?? video.count ?? 0;
    if (!(Number.isInteger(count) && count > 0)) throw new InputError("INVALID_INPUT", "a video without frames");
    const [height, width] = video.size ?? (frames === undefined ? NO_FILE({}) : (frames[0].size ?? sizeOf(frames[0])));
    // Frames that are kept as pictures were chosen before: all of them are taken.
    const indices = frames === undefined ? rule.sample(count, fps) : frames.map((_, i) => i);
    return rule.of(indices, { frames: count, height, width, fps });
  }

  /**
   * Tokens of a text by itself, without special tokens around it.
   *
   * @throws InputError INVALID_INPUT without a tokenizer, or if the tokenizer's library returns promises.
   */
  text(text: string): number {
    const counts = this.#counter().countAll([{ text, ranges: [] }]);
    if (counts instanceof Promise) throw new InputError("INVALID_INPUT", "this tokenizer answers later: use countAll");
    return counts[0].tokens;
  }

  #counter(): Counter {
    if (this.counter !== undefined) return this.counter;
    throw new OptionError("INVALID_OPTION", NO_TOKENIZER);
  }

  /**
   * The loads of a record of a data set: LLaVA's or ShareGPT's conversations, OpenAI's messages, a caption.
   *
   * @param sizeOf Called for pictures whose size is not in the record. Default: `sizeOfBytes`.
   * @throws InputError INVALID_INPUT or INVALID_FILE for a bad sample, with the reason; OptionError INVALID_OPTION if a
   *   chat template is needed and there is none.
   */
  sample(record: unknown, sizeOf: SizeOf = this.sizeOfBytes): SampleLoads {
    const pending = this.prepare(conversationOf(record), sizeOf);
    const counts = this.#counterFor(pending).countAll([pending]);
    if (counts instanceof Promise)
      throw new InputError("INVALID_INPUT", "this tokenizer answers later: use prepare and finish");
    return this.finish(pending, counts[0]);
  }

  #counterFor({ text }: Pending): Pick<Counter, "countAll"> {
    return text === "" ? { countAll: () => [{ tokens: 0, within: 0 }] } : this.#counter();
  }

  /** Finds the size of a picture whose bytes the record holds. @throws InputError if it holds none, or no picture. */
  readonly sizeOfBytes: SizeOf = (picture) => {
    if (picture.bytes === undefined) return NO_FILE(picture);
    return seen(pictureSizeOf(picture.bytes.first), this.exif);
  };

  /** All but the count of the text, which `finish` takes. @internal */
  prepare(conversation: Conversation, sizeOf: SizeOf): Pending {
    const { images, videos } = conversation;
    const pictures = images.map((picture) => this.#imageOf(...(picture.size ?? sizeOf(picture)), images.length));
    const clips = videos.map((video) => this.#videoOf(video, sizeOf));
    const visuals = [...pictures, ...clips];
    const sum = (of: (visual: Visual) => number) => visuals.reduce((total, visual) => total + of(visual), 0);
    const vit = sum(({ vit }) => vit);
    const isBlank = visuals.length === 0 && this.#dummy > 0;
    const blank = isBlank ? this.#image.of(224, 224, { images: 1 }) : undefined;
    const loads: SampleLoads = {
      vit: vit + (blank === undefined ? 0 : this.#dummy),
      tokens: 0,
      imageFlags: vit,
      images: images.length,
      frames: sum(({ frames }) => frames),
      labels: 0,
      attention:
        sum(({ attention }) => attention) + (blank === undefined ? 0 : (this.#dummy * blank.attention) / blank.vit),
    };
    if (conversation.textTokens !== undefined) {
      const more = conversation.textTokens + sum(({ tokens }) => tokens);
      return { loads: { ...loads, labels: -1 }, text: "", ranges: [], more, moreLabels: 0 };
    }
    if (this.counter === undefined) throw new OptionError("INVALID_OPTION", NO_TOKENIZER);
    if (this.format === undefined) {
      throw new OptionError(
        "INVALID_OPTION",
        "the model has no chat template: give one (template), or a chat format by name",
      );
    }
    return { loads, ...this.#assemble(this.#write(this.format, conversation), pictures, clips) };
  }

  #write(format: ChatFormat, conversation: Conversation): Written {
    try {
      return format.write(conversation);
    } catch (error) {
      if (error instanceof TemplateError)
        throw new InputError("INVALID_INPUT", `the chat template raises ${error.kind}: ${error.message}`);
      if (error instanceof UnsupportedTemplate) {
        throw new InputError(
          "INVALID_INPUT",
          `the chat template does something that is not done here: ${error.message}`,
        );
      }
      throw error;
    }
  }

  /** Puts what media are into the places that were left for them. */
  #assemble(written: Written, pictures: readonly Visual[], clips: readonly Visual[]) {
    const counter = this.#counter();
    const format = this.format as ChatFormat;
    const byBlocks = format.labels === "generation blocks";
    const marks = byBlocks ? written.generated : written.assistant;
    const { places } = written;
    let text = written.text;
    let ranges = [...marks];
    let more = 0;
    let moreLabels = 0;
    if (places.length > 0) {
      text = "";
      let last = 0;
      let [image, video, mark] = [0, 0, 0];
      const moved: number[] = [];
      const moveUpTo = (end: number) => {
        while (mark < marks.length && marks[mark] <= end) moved.push(text.length + marks[mark++] - last);
      };
      for (const { type, start, end } of places) {
        const visual = type === "image" ? pictures[image++] : clips[video++];
        moveUpTo(start);
        text += written.text.slice(last, start) + visual.text;
        more += visual.omitted;
        if (mark % 2 === 1) moreLabels += visual.omitted;
        last = end;
      }
      moveUpTo(written.text.length);
      text += written.text.slice(last);
      ranges = moved;
    }
    // The token that ends the assistant's turn is trained on too.
    if (!byBlocks) ranges = ranges.map((at, i) => (i % 2 === 1 ? counter.endOfAdded(text, at) : at));
    return { text, ranges: merged(ranges), more: more + format.specials(text, counter.specials), moreLabels };
  }

  /** @internal */
  finish({ loads, more, moreLabels }: Pending, { tokens, within }: Count): SampleLoads {
    const labels = loads.labels < 0 ? -1 : within + moreLabels;
    return { ...loads, tokens: tokens + more, labels };
  }
}

/** Ranges without those that touch. */
function merged(ranges: readonly number[]): number[] {
  const out: number[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    if (out.length > 0 && ranges[i] <= out[out.length - 1]) out[out.length - 1] = ranges[i + 1];
    else out.push(ranges[i], ranges[i + 1]);
  }
  return out;
}

function loadsOf({ vit, tokens, attention, frames }: Visual): VisualLoads {
  return { vit, tokens, attention, frames };
}

/**
 * The files of a released model by its name, with its family's rule and published parameters; a tokenizer comes with
 * the files of its own.
 *
 * @throws OptionError INVALID_OPTION for a name that is not known, with those that are.
 */
export function publishedFiles(
  name: string,
  tokenizer: ModelFiles,
): { readonly family: Family; readonly files: ModelFiles } {
  const models = publishedModels();
  const found = models.get(name.toLowerCase());
  if (found === undefined) {
    const names = [...models.keys()].join(", ");
    throw new OptionError(
      "INVALID_OPTION",
      `${show(name)} is neither a folder of a model nor a known model; known are ${names}`,
    );
  }
  const { family, published } = found;
  // What is kept of the tokenizer's folder does not decide about pictures.
  const {
    "config.json": _config,
    "preprocessor_config.json": _image,
    "video_preprocessor_config.json": _video,
    "processor_config.json": _processor,
    ...texts
  } = tokenizer;
  return {
    family,
    files: {
      ...texts,
      ...(published.config && { "config.json": published.config }),
      ...(published.image && { "preprocessor_config.json": published.image }),
      ...(published.video && { "video_preprocessor_config.json": published.video }),
      ...(published.processor && { "processor_config.json": published.processor }),
    },
  };
}

/** A rule by hand: `{ "rule": "internvl", "tile_size": 448, "tokens_per_tile": 256, "tokens_around_image": 2 }`. */
export function customModel(
  json: Json,
  tokenizer: ModelFiles,
): { readonly family: Family; readonly files: ModelFiles; readonly set: Json } {
  const { rule, ...set } = json;
  if (typeof rule !== "string") {
    throw new InputError(
      "MISSING_FIELD",
      `a model in a JSON file has "rule", the name of a family; it has ${Object.keys(json).map(show).join(", ")}`,
    );
  }
  return { family: requireFamily(rule), files: tokenizer, set };
}

/** The tokenizer of a model, with the tokens that its training code adds. */
export function tokenizerOf(family: Family, files: ModelFiles): unknown {
  return withTokens(files["tokenizer.json"], family.adds ?? []);
}
