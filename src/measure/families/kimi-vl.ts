import { type Family, refuse, run } from "./family.ts";

export const kimivl: Family = {
  name: "kimi-vl",
  about: "Kimi-VL",
  counts: "patches",
  checkpoints: ["kimi_vl", "KimiVL"],
  published: { "kimi-vl": {} },
  exif: "ignore",
  placeholders: () => ({ image: "<|media_pad|>" }),

  image(settings) {
    const patch = settings.whole("patch_size", ["image:patch_size"], 14);
    const merge = settings.whole("merge_size", ["image:merge_size", "image:merge_kernel_size"], 2);
    const limit = settings.whole("in_token_limit", ["image:in_token_limit"], 4096);
    const pads = settings.flag("pad_input", ["image:pad_input"], true);
    const factor = patch * merge;
    return {
      parameters: settings.resolved,
      of(height, width) {
        let [h, w] = [height, width];
        const count = Math.floor(w / patch) * Math.floor(h / patch);
        if (count > limit) {
          const scale = Math.sqrt(limit / count);
          [h, w] = [Math.trunc(h * scale), Math.trunc(w * scale)];
        }
        if (pads) [h, w] = [Math.ceil(h / factor) * factor, Math.ceil(w / factor) * factor];
        const [rows, columns] = [Math.floor(h / patch), Math.floor(w / patch)];
        if (rows >= 512 || columns >= 512) {
          refuse(`${rows} x ${columns} patches, the processor takes less than 512 a side`);
        }
        const patches = rows * columns;
        const tokens = Math.floor(patches / merge ** 2);
        return { vit: patches, tokens, attention: patches ** 2, frames: 0, ...run("<|media_pad|>", tokens) };
      },
    };
  },
};
