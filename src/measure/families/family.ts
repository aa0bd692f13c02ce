import { InputError } from "../../core/errors.ts";
import type { Role, Settings, Value } from "./settings.ts";

/** What one image, or one video, is for the model. */
export interface Visual {
  /** Tiles, or patches before any are merged: what the vision encoder is given. */
  readonly vit: number;
  /** Tokens in the language model. Of a video, those of its pictures: the words between them are in `text`. */
  readonly tokens: number;
  /** Sum of patches^2 over what the encoder attends within: each tile, each image, each temporal step of a video. */
  readonly attention: number;
  /** Frames that are taken from a video; 0 for an image. */
  readonly frames: number;
  /** What replaces the placeholder in the text. A run of equal soft tokens stands there as one of them. */
  readonly text: string;
  /** Tokens that `text` leaves out by that. */
  readonly omitted: number;
}

/** What a rule may look at beside the size. */
export interface Surroundings {
  /** Images in the sample. */
  readonly images: number;
}

/** A rule with its parameters fixed. */
export interface ImageRule {
  readonly parameters: Readonly<Record<string, Value>>;
  /** @throws InputError INVALID_INPUT where the model's own processor raises. */
  of(height: number, width: number, around: Surroundings): Visual;
}

export interface VideoRule {
  readonly parameters: Readonly<Record<string, Value>>;
  /**
   * The frames that are taken from `frames` of them, shot at `fps` a second (null: not known), ascending.
   *
   * @throws InputError INVALID_INPUT where the model's own processor raises; so does `of`.
   */
  sample(frames: number, fps: number | null): readonly number[];
  /** What the taken frames are. */
  of(indices: readonly number[], video: VideoSize): Visual;
}

/** What is known of a video: its frames, their size, and how many were shot a second (null: not known). */
export interface VideoSize {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly fps: number | null;
}

/** The parameters of a released checkpoint, as its files have them: by the kind of file, then by name. */
export type Published = Readonly<Partial<Record<Role, Readonly<Record<string, unknown>>>>>;

/** A model family: one file of this folder, and a line in index.ts. */
export interface Family {
  /** What `--model` and messages call it. */
  readonly name: string;
  /** The models it stands for, for people. */
  readonly about: string;
  /** What a sample's first load counts. */
  readonly counts: "tiles" | "patches";
  /** Names in checkpoints: `model_type`, `processor_class`, `image_processor_type` without its suffixes. */
  readonly checkpoints: readonly string[];
  /** Released models by name, with the parameters they were published with. */
  readonly published: Readonly<Record<string, Published>>;
  /** Whether the family's own loader turns an image as its EXIF orientation says. */
  readonly exif: "transpose" | "ignore";
  /** What a chat template writes in place of an image or a video. @internal */
  readonly placeholders: (settings: Settings) => {
    readonly image: string;
    readonly video?: string;
    /** What is written for one in a text that no template puts it into, if that is more. */
    readonly inline?: { readonly image: string; readonly video?: string };
  };
  /** Tokens that the training code adds to the tokenizer if it lacks them. @internal */
  readonly adds?: readonly string[];
  /** A sample without any image gets a blank one, which takes this many tiles and no tokens. @internal */
  readonly dummy?: (settings: Settings) => number;
  /** Makes the rule for images. @internal */
  readonly image: (settings: Settings) => ImageRule;
  /** Makes the rule for videos, if it takes any. @internal */
  readonly video?: (settings: Settings) => VideoRule;
}

/** The model's own processor refuses this image or video. */
export function refuse(why: string): never {
  throw new InputError("INVALID_INPUT", why);
}

/** Indices 0 .. count - 1: every frame. */
export function every(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** The frame rate, which a rule cannot do without. */
export function knownRate(fps: number | null): number {
  return fps ?? refuse("the frame rate of the video is not known, and frames are taken by it");
}

/** One run of a soft token: it is written once. */
export function run(token: string, count: number): { readonly text: string; readonly omitted: number } {
  return count === 0 ? { text: "", omitted: 0 } : { text: token, omitted: count - 1 };
}

/**
 * The loads of a video of `steps` steps of `patches` patches each; `merge` x `merge` patches of a step become a token.
 */
export function stepLoads(
  steps: number,
  patches: number,
  merge: number,
  frames: number,
): Pick<Visual, "vit" | "tokens" | "attention" | "frames"> {
  return {
    vit: steps * patches,
    tokens: Math.floor((steps * patches) / merge ** 2),
    attention: steps * patches ** 2,
    frames,
  };
}
