import { bestResolution } from "./anyres.ts";
import { type Family, run } from "./family.ts";

/** Width, height, in tiles: the resolutions of the released models. */
const TILES = [
  [1, 1], [1, 2], [2, 1], [1, 3], [3, 1], [1, 4], [4, 1], [2, 2], [1, 5], [5, 1], [1, 6], [6, 1],
  [2, 3], [3, 2], [1, 7], [7, 1], [1, 8], [8, 1], [2, 4], [4, 2], [1, 9], [9, 1], [3, 3],
] as const; // biome-ignore format: a table

export const deepseekVl2: Family = {
  name: "deepseek-vl2",
  about: "DeepSeek-VL2",
  counts: "tiles",
  checkpoints: ["deepseek_vl_v2", "deepseek_vl2", "DeepseekVLV2", "DeepseekVLHfV2"],
  published: { "deepseek-vl2": {} },
  exif: "transpose",
  placeholders: (settings) => ({ image: settings.text("image_token", ["processor:image_token"], "<image>") }),

  image(settings) {
    const patch = settings.whole("patch_size", ["processor:patch_size"], 14);
    const ratio = settings.whole("downsample_ratio", ["processor:downsample_ratio"], 2);
    const resolutions = settings.pairs(
      "candidate_resolutions",
      ["processor:candidate_resolutions", "config:candidate_resolutions"],
      TILES.map(([w, h]) => [384 * w, 384 * h] as const),
    );
    const size = settings.whole("image_size", [], resolutions[0][0]);
    const token = settings.text("image_token", ["processor:image_token"], "<image>");
    const side = Math.floor(size / patch);
    const pooled = Math.ceil(side / ratio);
    return {
      parameters: settings.resolved,
      of(height, width, { images }) {
        let [across, down] = [1, 1];
        // More than two images in a sample: none is cropped.
        if (images <= 2) {
          const [w, h] = bestResolution(width, height, resolutions);
          [across, down] = [Math.floor(w / size), Math.floor(h / size)];
        }
        const tiles = 1 + across * down;
        const tokens = pooled * (pooled + 1) + 1 + down * pooled * (across * pooled + 1);
        return { vit: tiles, tokens, attention: tiles * side ** 4, frames: 0, ...run(token, tokens) };
      },
    };
  },
};
