import type { SampleLoads } from "./model.ts";

/** What is written of a sample, in this order. */
export const COLUMNS = ["vit_num", "token_num", "image_flags", "images", "frames", "labels", "vit_attention"] as const;
export type Column = (typeof COLUMNS)[number];

/** The columns of a sample. */
export function columnsOf(loads: SampleLoads): readonly number[] {
  return [loads.vit, loads.tokens, loads.imageFlags, loads.images, loads.frames, loads.labels, loads.attention];
}

/** A bad sample is this in every column. */
export const BAD = -1;
