import { bestResolution, pinpoints, unpadded } from "./anyres.ts";
import { type Family, run } from "./family.ts";
import { droppedTokens, llavaToken } from "./llava.ts";

const RESOLUTIONS = [
  [336, 672],
  [672, 336],
  [672, 672],
  [1008, 336],
  [336, 1008],
] as const;

export const llavaNext: Family = {
  name: "llava-next",
  about: "LLaVA-NeXT (1.6)",
  counts: "tiles",
  checkpoints: ["llava_next", "LlavaNext"],
  published: {
    "llava-next": {
      image: { size: { shortest_edge: 336 } },
      processor: { patch_size: 14, num_additional_image_tokens: 1, vision_feature_select_strategy: "default" },
    },
  },
  exif: "transpose",
  placeholders: (settings) => ({ image: llavaToken(settings) }),

  image(settings) {
    const size = settings.whole("size", ["image:size.shortest_edge", "image:size"], 336);
    const patch = settings.whole("patch_size", ["processor:patch_size", "config:vision_config.patch_size"], 14);
    const extra = settings.whole("num_additional_image_tokens", ["processor:num_additional_image_tokens"], 1, 0);
    const dropped = droppedTokens(settings, "default");
    const resolutions = pinpoints(settings, RESOLUTIONS);
    const token = llavaToken(settings);
    const side = Math.floor(size / patch);
    return {
      parameters: settings.resolved,
      of(height, width) {
        const [h, w] = bestResolution(height, width, resolutions);
        const [down, across] = [Math.floor(h / size), Math.floor(w / size)];
        const [rows, columns] = unpadded(height, width, side * down, side * across);
        const tokens = rows * columns + rows + side ** 2 + extra - dropped;
        const vit = 1 + down * across;
        return { vit, tokens, attention: vit * side ** 4, frames: 0, ...run(token, tokens) };
      },
    };
  },
};
