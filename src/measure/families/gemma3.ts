import { type Family, run } from "./family.ts";

/** Crops of an elongated image; 0 where it is not elongated enough, or the crops would be too small. */
function crops(height: number, width: number, leastSize: number, most: number, leastRatio: number): number {
  const [long, short] = width >= height ? [width, height] : [height, width];
  if (long / short < leastRatio) return 0;
  const near = Math.min(Math.floor(long / leastSize), Math.floor(long / short + 0.5));
  const count = Math.min(most, Math.max(2, near));
  return Math.min(Math.ceil(long / count), short) < leastSize ? 0 : count;
}

export const gemma3: Family = {
  name: "gemma3",
  about: "Gemma 3",
  counts: "tiles",
  checkpoints: ["gemma3", "Gemma3"],
  published: { gemma3: { image: { image_size: 896 } } },
  exif: "transpose",
  placeholders: (settings) => ({ image: settings.text("boi_token", ["tokenizer:boi_token"], "<start_of_image>") }),

  image(settings) {
    const imageSize = settings.whole("image_size", ["image:size", "config:vision_config.image_size"], 896);
    const patch = settings.whole("patch_size", ["config:vision_config.patch_size"], 14);
    const tokens = settings.whole(
      "image_seq_length",
      ["processor:image_seq_length", "image:image_seq_length", "config:mm_tokens_per_image"],
      256,
    );
    const pans = settings.flag("do_pan_and_scan", ["image:do_pan_and_scan"], false);
    const leastSize = settings.whole("pan_and_scan_min_crop_size", ["image:pan_and_scan_min_crop_size"], 256);
    const most = settings.whole("pan_and_scan_max_num_crops", ["image:pan_and_scan_max_num_crops"], 4);
    const leastRatio = settings.decimal(
      "pan_and_scan_min_ratio_to_activate",
      ["image:pan_and_scan_min_ratio_to_activate"],
      1.2,
    );
    const boi = settings.text("boi_token", ["tokenizer:boi_token"], "<start_of_image>");
    const eoi = settings.text("eoi_token", ["tokenizer:eoi_token"], "<end_of_image>");
    const token = settings.text("image_token", ["tokenizer:image_token"], "<image_soft_token>");
    const soft = run(token, tokens);
    const one = `\n\n${boi}${soft.text}${eoi}\n\n`;
    const texts = new Map([[0, one]]);
    for (let count = 1; count <= most; count++) {
      texts.set(
        count,
        `Here is the original image ${one} and here are some crops to help you see better ${Array(count).fill(one).join(" ")}`,
      );
    }
    return {
      parameters: settings.resolved,
      of(height, width) {
        const count = pans ? crops(height, width, leastSize, most, leastRatio) : 0;
        return {
          vit: 1 + count,
          tokens: tokens * (1 + count),
          attention: (1 + count) * Math.floor(imageSize / patch) ** 4,
          frames: 0,
          text: texts.get(count) ?? one,
          omitted: soft.omitted * (1 + count),
        };
      },
    };
  },
};
