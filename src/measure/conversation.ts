// A sample of a data set, whatever form it is kept in: turns of text, pictures and videos.
import { InputError, show } from "../core/errors.ts";

/** The bytes of a picture. */
export interface PictureBytes {
  /** Those that it begins with: 4,096, or all. */
  readonly first: Uint8Array;
  /** Reads `length` of them at `offset`; fewer if they end there. */
  readonly read: (offset: number, length: number) => Uint8Array;
}

/** A picture in a record: its size if that has it, else where its bytes are. */
export interface Picture {
  /** Pixels. */
  readonly size?: readonly [height: number, width: number];
  /** The path or name that the record gives. */
  readonly path?: string;
  /** Its bytes, if the record holds them. */
  readonly bytes?: PictureBytes;
}

export interface Video {
  /** Pictures that it is kept as. */
  readonly frames?: readonly Picture[];
  /** How many frames it has, where it is not kept as pictures. */
  readonly count?: number;
  readonly size?: readonly [height: number, width: number];
  readonly fps: number | null;
}

export type Part =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image" }
  | { readonly type: "video" };

export interface Turn {
  readonly role: string;
  readonly parts: readonly Part[];
  /** Whether the record has the content as one string, media aside. */
  readonly isPlain: boolean;
  /** What else a template may look at: tool_calls, name, reasoning_content. */
  readonly more: Readonly<Record<string, unknown>>;
}

export interface Conversation {
  readonly turns: readonly Turn[];
  readonly images: readonly Picture[];
  readonly videos: readonly Video[];
  readonly tools: unknown;
  /** Tokens of the text, counted by somebody else. */
  readonly textTokens?: number;
  /** Whether the pictures are a list without a place in the text, which some training code refuses. */
  readonly isUnplaced: boolean;
}

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

export function bad(why: string): never {
  throw new InputError("INVALID_INPUT", why);
}

/** What goes by the name of the user and of the assistant. */
const ROLES: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  assistant: "assistant",
  model: "assistant",
  bot: "assistant",
  chatgpt: "assistant",
  bing: "assistant",
  bard: "assistant",
  system: "system",
  tool: "tool",
  observation: "tool",
  function: "tool",
  function_response: "tool",
};

function roleOf(name: unknown): string {
  if (typeof name !== "string") return bad(`a turn is from ${show(name)}, expected a name such as human or gpt`);
  return Object.hasOwn(ROLES, name) ? ROLES[name] : name;
}

const whole = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value > 0;

/** A number that may come as a BigInt, as Parquet has them. */
function plainNumber(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

function sizeFrom(height: unknown, width: unknown): readonly [number, number] | undefined {
  const [h, w] = [plainNumber(height), plainNumber(width)];
  return whole(h) && whole(w) ? [h, w] : undefined;
}

/** One of several pictures, or the single one; `i` chooses among lists of heights and widths. */
function pictureFrom(value: unknown, record: Json, i: number, single: boolean): Picture {
  const from = (list: unknown) => (Array.isArray(list) ? list[i] : single ? list : undefined);
  const size = sizeFrom(from(record.height), from(record.width));
  if (typeof value === "string") return { ...(size && { size }), ...source(value) };
  if (value instanceof Uint8Array) return { ...(size && { size }), bytes: wholeBytes(value) };
  if (isObject(value)) {
    // Somebody has looked at it before, and found it bad.
    if (typeof value.problem === "string") return bad(`a picture: ${value.problem}`);
    const own = sizeFrom(value.height, value.width) ?? size;
    const place = value.bytes ?? value.path ?? value.url ?? value.image ?? value.file_name;
    if (place instanceof Uint8Array) return { ...(own && { size: own }), bytes: wholeBytes(place) };
    if (typeof place === "string") return { ...(own && { size: own }), ...source(place) };
    if (isObject(place) && typeof place.url === "string") return { ...(own && { size: own }), ...source(place.url) };
    if (own !== undefined) return { size: own };
  }
  return bad(
    `a picture is ${isObject(value) ? "an object without path, bytes or size" : show(value)}, expected a path`,
  );
}

function wholeBytes(bytes: Uint8Array): PictureBytes {
  return { first: bytes, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** A path, or the bytes of a data URL: of its beginning, which is enough for a size. */
function source(text: string): Picture {
  if (text.startsWith("file://")) return { path: decodeURI(text.slice("file://".length)) };
  const data = /^data:[\w/+.-]*;base64,/.exec(text.slice(0, 200));
  if (data === null) return { path: text };
  const base64 = text.slice(data[0].length, data[0].length + 4 * Math.ceil((1 << 20) / 3));
  try {
    const binary = atob(base64.slice(0, base64.length - (base64.length % 4)));
    return { bytes: wholeBytes(Uint8Array.from(binary, (c) => c.charCodeAt(0))) };
  } catch {
    return bad("a picture's data URL is not base64");
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null || value === "") return [];
  return Array.isArray(value) ? value : [value];
}

function videoFrom(value: unknown, record: Json, i: number, single: boolean): Video {
  const from = (list: unknown) => plainNumber(Array.isArray(list) ? list[i] : single ? list : undefined);
  const number = (name: unknown) => (typeof name === "number" && name > 0 ? name : undefined);
  // Frames that are kept as pictures.
  const frames = Array.isArray(value)
    ? value
    : isObject(value) && Array.isArray(value.frames)
      ? value.frames
      : undefined;
  const own = isObject(value) ? value : {};
  const fps = number(plainNumber(own.fps ?? own.video_fps)) ?? number(from(record.fps)) ?? null;
  if (frames !== undefined) {
    const pictures = frames.map((frame) => pictureFrom(frame, own, 0, true));
    return { frames: pictures, fps };
  }
  const count = number(plainNumber(own.num_frames ?? own.nframes ?? own.frames)) ?? number(from(record.num_frames));
  const size = sizeFrom(own.height, own.width) ?? sizeFrom(from(record.height), from(record.width));
  if (count !== undefined && size !== undefined) return { count, size, fps };
  return bad("a video's frames and size are not in the record (num_frames, height, width, fps): videos are not opened");
}

const MARKERS = /<image>|<video>/g;

/** Splits a text at its markers, as long as there are media left for them. */
function split(text: string, left: { images: number; videos: number }): Part[] {
  const parts: Part[] = [];
  let last = 0;
  for (const match of text.matchAll(MARKERS)) {
    const type = match[0] === "<image>" ? "image" : "video";
    if (left[`${type}s`] === 0) continue;
    left[`${type}s`]--;
    if (match.index > last) parts.push({ type: "text", text: text.slice(last, match.index) });
    parts.push({ type });
    last = match.index + match[0].length;
  }
  if (last < text.length || parts.length === 0) parts.push({ type: "text", text: text.slice(last) });
  return parts;
}

/** Typed parts of a content, as OpenAI and the processors have them; media are collected. */
function typedParts(content: readonly unknown[], images: Picture[], videos: Video[], hasLists: boolean): Part[] {
  return content.map((item): Part => {
    if (typeof item === "string") return { type: "text", text: item };
    if (!isObject(item)) return bad(`a part of a content is ${show(item)}, expected an object with a type`);
    const type =
      item.type ??
      (item.text !== undefined
        ? "text"
        : item.image !== undefined
          ? "image"
          : item.video !== undefined
            ? "video"
            : undefined);
    switch (type) {
      case "text":
      case "input_text":
      case "output_text":
        return typeof item.text === "string"
          ? { type: "text", text: item.text }
          : bad(`a part of text is ${show(item.text)}`);
      case "image":
      case "image_url":
      case "input_image": {
        const value = item.image_url ?? item.image ?? item;
        const hasValue =
          value !== item ||
          ["path", "url", "bytes", "height"].some((name) => item[name] !== undefined && item[name] !== null);
        if (hasValue) {
          const picture = isObject(value) && value !== item ? { ...item, ...value } : value;
          images.push(pictureFrom(picture, item, 0, true));
        } else if (!hasLists) return bad("a picture of a content has no path, and the record has no list of images");
        return { type: "image" };
      }
      case "video":
      case "video_url":
      case "input_video": {
        const value = item.video ?? item.video_url;
        if (value !== undefined && value !== null) {
          videos.push(videoFrom(isObject(value) || Array.isArray(value) ? value : item, item, 0, true));
        } else if (!hasLists)
          return bad("a video of a content has nothing in it, and the record has no list of videos");
        return { type: "video" };
      }
      default:
        return bad(`a part of a content has the type ${show(type)}, known are text, image, image_url, video`);
    }
  });
}

/** The turns of a record, by whichever of the known names it has for them. */
function turnList(record: Json): readonly unknown[] | undefined {
  for (const name of ["messages", "conversations", "conversation"]) {
    const list = record[name];
    if (Array.isArray(list)) return list;
    // A column of JSON, as some Parquet sets have it.
    if (typeof list === "string" && /^\s*\[/.test(list)) {
      const parsed = parsedList(list);
      if (parsed !== undefined) return parsed;
    }
  }
  // Pairs of question and answer, as some Parquet sets have them.
  if (Array.isArray(record.texts)) {
    return record.texts.flatMap((pair) =>
      isObject(pair)
        ? [
            { role: "user", content: pair.user },
            { role: "assistant", content: pair.assistant },
          ]
        : [pair],
    );
  }
  return undefined;
}

function parsedList(text: string): readonly unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

/** Names of turns' own members. */
const OWN = new Set(["role", "from", "content", "value"]);

/**
 * The conversation in a record.
 *
 * @throws InputError INVALID_INPUT for a record that is none, with the reason.
 */
export function conversationOf(record: unknown): Conversation {
  if (!isObject(record)) return bad(`the record is ${show(record)}, expected an object`);
  const listed = record.images ?? record.image;
  const imageValues = listOf(listed);
  const videoValues = listOf(record.videos ?? record.video);
  const single = !Array.isArray(listed);
  const images = imageValues.map((value, i) => pictureFrom(value, record, i, imageValues.length === 1));
  const meta = isObject(record.mm_inputs_meta) ? record.mm_inputs_meta : undefined;
  const textTokens = plainNumber(record._text_tokens);
  if (meta !== undefined || textTokens !== undefined) return measuredBefore(record, meta, textTokens);
  const videos = videoValues.map((value, i) => videoFrom(value, record, i, videoValues.length === 1));

  const list = turnList(record);
  if (list === undefined) return plainRecord(record, images, videos);
  const left = { images: images.length, videos: videos.length };
  const typedImages: Picture[] = [];
  const typedVideos: Video[] = [];
  const hasLists = images.length + videos.length > 0;
  const turns = list.map((turn): Turn => {
    if (!isObject(turn)) return bad(`a turn is ${show(turn)}, expected an object`);
    const role = roleOf(turn.role ?? turn.from);
    const content = turn.content ?? turn.value;
    const more = Object.fromEntries(Object.entries(turn).filter(([name]) => !OWN.has(name)));
    if (Array.isArray(content)) {
      return { role, parts: typedParts(content, typedImages, typedVideos, hasLists), isPlain: false, more };
    }
    if (content === null || content === undefined) return { role, parts: [], isPlain: true, more };
    if (typeof content !== "string") return bad(`a turn's text is ${show(content)}, expected a string`);
    const isPlain = turn.content !== undefined;
    return {
      role,
      parts: role === "assistant" ? [{ type: "text", text: content }] : split(content, left),
      isPlain,
      more,
    };
  });
  const all = typedImages.length > 0 ? typedImages : images;
  const allVideos = typedVideos.length > 0 ? typedVideos : videos;
  return { ...placed(turns, all, allVideos), tools: record.tools, isUnplaced: !single && isUnplaced(turns) };
}

const isUnplaced = (turns: readonly Turn[]) => !turns.some(({ parts }) => parts.some(({ type }) => type === "image"));

/** Media without a place in the text stand at the beginning of the first turn of the user, one on a line. */
function placed(turns: readonly Turn[], images: readonly Picture[], videos: readonly Video[]) {
  const count = (type: "image" | "video") =>
    turns.reduce((sum, { parts }) => sum + parts.filter((part) => part.type === type).length, 0);
  let out = [...turns];
  for (const [type, media] of [
    ["video", videos],
    ["image", images],
  ] as const) {
    const marks = count(type);
    if (marks === media.length) continue;
    if (marks > 0)
      return bad(
        `${media.length} ${type}${media.length === 1 ? "" : "s"}, but ${marks} places for ${type}s in the text`,
      );
    const first = out.findIndex(({ role }) => role === "user");
    if (first < 0) return bad(`${media.length} ${type}s, but no turn of the user`);
    const lead = media.flatMap((): Part[] => [{ type }, { type: "text", text: "\n" }]);
    out = out.map((turn, i) => (i === first ? { ...turn, parts: joined([...lead, ...turn.parts]) } : turn));
  }
  return { turns: out, images, videos };
}

/** Neighbouring texts as one. */
function joined(parts: readonly Part[]): Part[] {
  const out: Part[] = [];
  for (const part of parts) {
    const last = out[out.length - 1];
    if (part.type === "text" && last?.type === "text")
      out[out.length - 1] = { type: "text", text: last.text + part.text };
    else out.push(part);
  }
  return out;
}

/** A record without turns: a picture with a caption, or a text. */
function plainRecord(record: Json, images: readonly Picture[], videos: readonly Video[]): Conversation {
  const text = record.text ?? record.txt ?? record.caption;
  const answer = record.answer ?? record.response ?? record.output;
  const question = record.question ?? record.query ?? record.instruction ?? record.prompt;
  const turn = (role: string, content: unknown): Turn => {
    if (typeof content !== "string") return bad(`a text is ${show(content)}, expected a string`);
    return { role, parts: content === "" ? [] : [{ type: "text", text: content }], isPlain: false, more: {} };
  };
  let turns: Turn[];
  if (question !== undefined && answer !== undefined) turns = [turn("user", question), turn("assistant", answer)];
  else if (text !== undefined) turns = [turn("user", ""), turn("assistant", text)];
  else {
    const names = Object.keys(record).slice(0, 8).map(show).join(", ");
    return bad(`no turns: expected conversations, messages, texts, or text; the record has ${names || "nothing"}`);
  }
  return { ...placed(turns, images, videos), tools: record.tools, isUnplaced: images.length > 1 };
}

/** NeMo Automodel's records, which have the text's tokens and the media's sizes already. */
function measuredBefore(record: Json, meta: Json | undefined, textTokens: unknown): Conversation {
  if (typeof textTokens !== "number" || !Number.isInteger(textTokens) || textTokens < 0) {
    return bad(`_text_tokens is ${show(textTokens)}, expected a whole number`);
  }
  const images = listOf(meta?.images_meta).map((size): Picture => {
    const [h, w] = Array.isArray(size) ? size : [];
    const found = sizeFrom(h, w);
    return found === undefined ? bad(`images_meta has ${show(size)}, expected [height, width]`) : { size: found };
  });
  const videos = listOf(meta?.videos_meta).map((values): Video => {
    const [count, h, w, fps] = Array.isArray(values) ? values.map(plainNumber) : [];
    const size = sizeFrom(h, w);
    if (!whole(count) || size === undefined) {
      return bad(`videos_meta has ${show(values)}, expected [frames, height, width, fps]`);
    }
    return { count, size, fps: typeof fps === "number" && fps > 0 ? fps : null };
  });
  return { turns: [], images, videos, tools: record.tools, textTokens, isUnplaced: false };
}
