// How a conversation becomes the text that is trained on.
import { InputError, OptionError, show } from "../../core/errors.ts";
import type { Conversation, Part, Turn } from "../conversation.ts";
import { strip } from "./strings.ts";
import type { ChatTemplate, Message, Rendered } from "./template.ts";

/** A text with places for media. Ranges are start, end, start, end, ... */
export interface Written extends Rendered {
  /** Where media go, in order: start and end of what stands there now. */
  readonly places: readonly { readonly type: "image" | "video"; readonly start: number; readonly end: number }[];
}

export interface ChatFormat {
  readonly name: string;
  /** What is trained on: what generation blocks say, or what the assistant says. */
  readonly labels: "generation blocks" | "the assistant's turns";
  /** @throws InputError INVALID_INPUT for a conversation that it has no form for. */
  write(conversation: Conversation): Written;
  /** Special tokens that come to the text: a number of `specials`, which the tokenizer puts around one, or fewer. */
  specials(text: string, specials: number): number;
}

/** What stands for media in a text. */
export interface Placeholders {
  readonly image: string;
  readonly video?: string;
}

function bad(why: string): never {
  throw new InputError("INVALID_INPUT", why);
}

/** Places of the placeholders in a text, for as many media as there are. */
function findPlaces(text: string, placeholders: Placeholders, images: number, videos: number): Written["places"] {
  const places: Written["places"][number][] = [];
  for (const [type, mark, count] of [
    ["image", placeholders.image, images],
    ["video", placeholders.video, videos],
  ] as const) {
    if (count === 0) continue;
    if (mark === undefined) return bad(`the model takes no ${type}s`);
    let found = 0;
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) {
      places.push({ type, start: at, end: at + mark.length });
      found++;
    }
    if (found !== count) {
      return bad(`the chat template wrote ${show(mark)} ${found} times for ${count} ${type}${count === 1 ? "" : "s"}`);
    }
  }
  return places.sort((a, b) => a.start - b.start);
}

/** Text of parts, with marks for media. */
function inline(parts: readonly Part[], placeholders: Placeholders): string {
  return parts
    .map((part) =>
      part.type === "text"
        ? part.text
        : part.type === "image"
          ? placeholders.image
          : (placeholders.video ?? bad("the model takes no videos")),
    )
    .join("");
}

/** What a template is asked, to see how it takes contents. */
const PROBE = "omnibal-probe";

/** The chat template of a checkpoint. */
export class TemplateFormat implements ChatFormat {
  readonly name: string;
  readonly labels: ChatFormat["labels"];
  readonly #template: ChatTemplate;
  readonly #placeholders: Placeholders;
  readonly #inline: Placeholders;
  readonly #bos: string;
  /** Whether contents are handed over in typed parts; else they are strings with marks in them. */
  readonly #inParts: boolean;
  /** Whether a content that the record has as a string may stay one. */
  readonly #inStrings: boolean;

  constructor(
    template: ChatTemplate,
    placeholders: Placeholders,
    inlined: Placeholders,
    bos: string,
    content: "auto" | "parts" | "text",
  ) {
    this.name = "the chat template";
    this.labels = template.hasGeneration ? "generation blocks" : "the assistant's turns";
    this.#template = template;
    this.#placeholders = placeholders;
    this.#inline = inlined;
    this.#bos = bos;
    this.#inParts = content === "auto" ? this.#takes(true) : content === "parts";
    this.#inStrings = content !== "parts" && this.#takes(false);
  }

  /** Whether the template finds the text in a content of that kind. */
  #takes(parts: boolean): boolean {
    try {
      const { text } = this.#template.render([
        { role: "user", content: parts ? [{ type: "image" }, { type: "text", text: PROBE }] : PROBE },
        { role: "assistant", content: parts ? [{ type: "text", text: PROBE }] : PROBE },
      ]);
      return text.split(PROBE).length === 3 && !/['"]type['"]/.test(text);
    } catch {
      return false;
    }
  }

  #message({ role, parts, isPlain, more }: Turn): Message {
    const onlyText = parts.every((part) => part.type === "text");
    const typed = this.#inParts && !(isPlain && onlyText && this.#inStrings);
    return { role, content: typed ? parts : inline(parts, this.#inline), ...more };
  }

  write({ turns, images, videos, tools }: Conversation): Written {
    const rendered = this.#template.render(
      turns.map((turn) => this.#message(turn)),
      tools,
    );
    return { ...rendered, places: findPlaces(rendered.text, this.#placeholders, images.length, videos.length) };
  }

  // As the processors do: a text that begins with the first token gets no other one.
  specials(text: string, specials: number): number {
    return this.#bos !== "" && text.startsWith(this.#bos) ? 0 : specials;
  }
}

interface InternvlStyle {
  readonly system: string;
  readonly systemHead: string;
  readonly user: string;
  readonly assistant: string;
  readonly end: string;
  /** What follows the end of a turn. */
  readonly tail: string;
  readonly strips: boolean;
  /** Whether the tokenizer's special tokens come to the text. */
  readonly specials: boolean;
  /** Whether a turn of the system at the beginning replaces the usual one, and turns need not alternate. */
  readonly free: boolean;
}

const OLD_SYSTEM =
  "你是由上海人工智能实验室联合商汤科技开发的书生多模态大模型，英文名叫InternVL, 是一个有用无害的人工智能助手。";

/** The formats of InternVL's training code, by the names that it has for them. */
const INTERNVL: Readonly<Record<string, InternvlStyle>> = {
  "internlm2-chat": {
    system: OLD_SYSTEM,
    systemHead: "<|im_start|>system\n",
    user: "<|im_start|>user\n",
    assistant: "<|im_start|>assistant\n",
    end: "<|im_end|>",
    tail: "",
    strips: true,
    specials: true,
    free: false,
  },
  "Hermes-2": {
    system: OLD_SYSTEM,
    systemHead: "<|im_start|>system\n",
    user: "<|im_start|>user\n",
    assistant: "<|im_start|>assistant\n",
    end: "<|im_end|>",
    tail: "",
    strips: false,
    specials: true,
    free: false,
  },
  "phi3-chat": {
    system: OLD_SYSTEM,
    systemHead: "<|system|>\n",
    user: "<|user|>\n",
    assistant: "<|assistant|>\n",
    end: "<|end|>",
    tail: "",
    strips: false,
    specials: true,
    free: false,
  },
  internvl2_5: {
    system:
      "你是书生·万象，英文名是InternVL，是由上海人工智能实验室、清华大学及多家合作单位联合开发的多模态大语言模型。",
    systemHead: "<|im_start|>system\n",
    user: "<|im_start|>user\n",
    assistant: "<|im_start|>assistant\n",
    end: "<|im_end|>",
    tail: "\n",
    strips: false,
    specials: true,
    free: true,
  },
};

const MARK = "<image>";

/** One of InternVL's own formats. */
export class InternvlFormat implements ChatFormat {
  readonly name: string;
  readonly labels = "the assistant's turns" as const;
  readonly #style: InternvlStyle;

  constructor(name: string) {
    this.name = name;
    this.#style = INTERNVL[name];
  }

  write({ turns, images, videos, isUnplaced }: Conversation): Written {
    const style = this.#style;
    let rest = turns;
    let { system } = style;
    if (rest[0]?.role === "system") {
      if (!style.free) bad(`the format ${this.name} has no place for a turn of the system`);
      system = inline(rest[0].parts, { image: MARK, video: "<video>" });
      rest = rest.slice(1);
    } else if (!style.free && rest[0]?.role === "assistant") rest = rest.slice(1);
    const media = images.length + videos.length;
    if (isUnplaced && images.length > 0) bad(`${images.length} images in a list, but no <image> in the text`);
    let text = style.systemHead + system + style.end + style.tail;
    const places: Written["places"][number][] = [];
    const assistant: number[] = [];
    for (const [i, { role, parts }] of rest.entries()) {
      if (role !== "user" && role !== "assistant")
        bad(`the format ${this.name} has no place for a turn of ${show(role)}`);
      if (!style.free && role !== (i % 2 === 0 ? "user" : "assistant"))
        bad(`turn ${i} is of the ${role}: turns must alternate`);
      text += role === "user" ? style.user : style.assistant;
      const start = text.length;
      const stripped = style.strips ? strippedParts(parts) : parts;
      for (const part of stripped) {
        const from = text.length;
        text += part.type === "text" ? part.text : `<${part.type}>`;
        if (part.type !== "text") places.push({ type: part.type, start: from, end: text.length });
      }
      // A turn without a word has no end in the older formats.
      if (text.length > start || style.free) text += style.end;
      if (role === "assistant" && text.length > start) assistant.push(start, text.length);
      text += style.free || text.length > start ? style.tail : "";
    }
    if (places.length !== media) bad(`${media} images and videos, but ${places.length} places for them in the text`);
    return { text, places, assistant, generated: [] };
  }

  specials(_text: string, specials: number): number {
    return this.#style.specials ? specials : 0;
  }
}

/** The parts without white space at both ends, as `strip` of their text leaves them. */
function strippedParts(parts: readonly Part[]): readonly Part[] {
  return parts.map((part, i) => {
    if (part.type !== "text") return part;
    const left = i === 0 ? strip(part.text, undefined, "left") : part.text;
    return { type: "text", text: i === parts.length - 1 ? strip(left, undefined, "right") : left };
  });
}

/** PaliGemma's: pictures, question, line break, answer. */
class PaligemmaFormat implements ChatFormat {
  readonly name = "paligemma";
  readonly labels = "the assistant's turns" as const;
  readonly #bos: string;
  readonly #eos: string;

  constructor(bos: string, eos: string) {
    this.#bos = bos;
    this.#eos = eos;
  }

  write({ turns, images, videos }: Conversation): Written {
    if (videos.length > 0) bad("the model takes no videos");
    const [user, answer, ...more] = turns;
    if (user?.role !== "user" || answer?.role !== "assistant" || more.length > 0) {
      bad("the format paligemma takes one question and one answer");
    }
    const places = images.map((_, i) => ({
      type: "image" as const,
      start: i * MARK.length,
      end: (i + 1) * MARK.length,
    }));
    const words = (turn: Turn) => turn.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    const head = `${MARK.repeat(images.length)}${this.#bos}${words(user).replace(/^\n/, "")}\n`;
    const text = head + words(answer) + this.#eos;
    return { text, places, assistant: [head.length, text.length], generated: [] };
  }

  specials(): number {
    return 0;
  }
}

/** A format by its name; undefined for one that is not known. */
export function formatNamed(name: string, bos: string, eos: string): ChatFormat {
  if (Object.hasOwn(INTERNVL, name)) return new InternvlFormat(name);
  if (name === "paligemma") return new PaligemmaFormat(bos, eos);
  throw new OptionError(
    "INVALID_OPTION",
    `${show(name)} is not a chat format; known are ${[...Object.keys(INTERNVL), "paligemma"].join(", ")}`,
  );
}

export const isFormatName = (name: unknown): name is string =>
  typeof name === "string" && (Object.hasOwn(INTERNVL, name) || name === "paligemma");
