import type { SampleLoads } from "./model.ts";

/**
 * The columns that are written for each sample, in this order: tiles or patches; tokens; tiles or patches of real
 * pictures, without a blank one; pictures; frames of videos; tokens that are trained on, or -1 if unknown; the sum of
 * patches^2 over what the vision encoder attends within. A bad sample has -1 in all of them.
 */
export const COLUMNS = ["vit_num", "token_num", "image_flags", "images", "frames", "labels", "vit_attention"] as const;
/** The name of one of them. */
export type Column = (typeof COLUMNS)[number];

/** A sample's values, in the order of `COLUMNS`. */
export function columnsOf(loads: SampleLoads): readonly number[] {
  return [loads.vit, loads.tokens, loads.imageFlags, loads.images, loads.frames, loads.labels, loads.attention];
}

/** The value of a bad sample in every column. */
export const BAD = -1;
