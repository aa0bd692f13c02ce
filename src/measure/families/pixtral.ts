import { type Family, type ImageRule, refuse } from "./family.ts";
import type { Settings } from "./settings.ts";

/** The rule of Pixtral's processor, which Mistral 3 uses too, with other defaults. */
export function pixtralImage(
  settings: Settings,
  defaults: { longest: number; patch: number; merge: number },
): ImageRule {
  const longest = settings.whole("longest_edge", ["image:size.longest_edge", "image:size"], defaults.longest);
  const patch = settings.whole("patch_size", ["processor:patch_size", "image:patch_size"], defaults.patch);
  const merge = settings.whole(
    "spatial_merge_size",
    ["processor:spatial_merge_size", "config:spatial_merge_size"],
    defaults.merge,
  );
  const { image, breaks, end } = pixtralWords(settings);
  const side = patch * merge;
  return {
    parameters: settings.resolved,
    of(height, width) {
      const ratio = Math.max(height / longest, width / longest);
      let [h, w] = [height, width];
      if (ratio > 1) [h, w] = [Math.floor(h / ratio), Math.floor(w / ratio)];
      if (h < 1 || w < 1) refuse(`one side is more than ${longest} times the other, the processor would make it 0`);
      const [rows, columns] = [Math.floor((h - 1) / side) + 1, Math.floor((w - 1) / side) + 1];
      const patches = rows * columns * merge ** 2;
      const tokens = (columns + 1) * rows;
      // Every row ends with a token of its own; all but the first picture and break, and the end, are left out.
      const text = rows > 1 ? image + breaks + end : image + end;
      return { vit: patches, tokens, attention: patches ** 2, frames: 0, text, omitted: tokens - (rows > 1 ? 3 : 2) };
    },
  };
}

export function pixtralWords(settings: Settings) {
  return {
    image: settings.text("image_token", ["processor:image_token"], "[IMG]"),
    breaks: settings.text("image_break_token", ["processor:image_break_token"], "[IMG_BREAK]"),
    end: settings.text("image_end_token", ["processor:image_end_token"], "[IMG_END]"),
  };
}

export const pixtral: Family = {
  name: "pixtral",
  about: "Pixtral",
  counts: "patches",
  checkpoints: ["pixtral", "Pixtral"],
  published: { "pixtral-12b": { image: { longest_edge: 1024 }, processor: { patch_size: 16, spatial_merge_size: 1 } } },
  exif: "transpose",
  placeholders: (settings) => ({ image: pixtralWords(settings).image }),
  image: (settings) => pixtralImage(settings, { longest: 1024, patch: 16, merge: 1 }),
};
