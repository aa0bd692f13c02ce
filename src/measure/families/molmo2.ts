import { arange, divideFloat32, oneDecimal } from "./arithmetic.ts";
import { every, type Family, run } from "./family.ts";
import type { Pair } from "./settings.ts";

export const molmo2: Family = {
  name: "molmo2",
  about: "Molmo 2",
  counts: "tiles",
  checkpoints: ["molmo2", "Molmo2"],
  published: { molmo2: {} },
  exif: "transpose",
  placeholders: (settings) => ({
    image: settings.text("image_token", ["tokenizer:image_token"], "<|image|>"),
    video: settings.text("video_token", ["tokenizer:video_token"], "<|video|>"),
  }),

  image(settings) {
    const size = settings.whole("size", ["image:size"], 378);
    const patch = settings.whole("patch_size", ["image:patch_size"], 14);
    const most = settings.whole("max_crops", ["image:max_crops"], 8);
    const margins = settings.pair("overlap_margins", ["image:overlap_margins"], [4, 4], 0);
    const pool = settings.pair("pooling_size", ["image:pooling_size"], [2, 2]);
    const columnTokens = settings.flag("image_use_col_tokens", ["processor:image_use_col_tokens"], true);
    const columnTokensOfWhole = settings.flag(
      "use_single_crop_col_tokens",
      ["processor:use_single_crop_col_tokens"],
      columnTokens,
    );
    const ownStart = settings.flag("use_single_crop_start_token", ["processor:use_single_crop_start_token"], true);
    const margin = margins[0] + margins[1];
    const side = Math.floor(size / patch);
    const window = side - margin;
    const tilings: Pair[] = [];
    for (let rows = 1; rows <= most; rows++) {
      for (let columns = 1; rows * columns <= most; columns++) tilings.push([rows, columns]);
    }
    tilings.sort((a, b) => a[0] * a[1] - b[0] * b[1] || a[0] - b[0]);
    /** In single precision, and without a guard: sides below the margins make negative scales, as in the processor. */
    const choose = (height: number, width: number): Pair => {
      const scales = tilings.map(([rows, columns]) =>
        Math.min(divideFloat32(rows * window * patch, height), divideFloat32(columns * window * patch, width)),
      );
      const shrinks = scales.every((scale) => scale < 1);
      let best = 0;
      for (let i = 1; i < scales.length; i++) {
        const [a, b] = [scales[i], scales[best]];
        if (shrinks ? a > b : (a < 1 ? 10e9 : a) < (b < 1 ? 10e9 : b)) best = i;
      }
      return tilings[best];
    };
    const whole = Math.ceil(side / pool[0]) * (Math.ceil(side / pool[1]) + (columnTokensOfWhole ? 1 : 0)) + 2;
    const start = ownStart ? "<low_res_im_start>" : "<im_start>";
    const text = `${start}<im_patch><im_end><im_start><im_patch><im_end>`;
    return {
      parameters: settings.resolved,
      of(height, width) {
        const [down, across] = choose(height - margin * patch, width - margin * patch);
        const rows = Math.ceil((down * window + margin) / pool[0]);
        const columns = Math.ceil((across * window + margin) / pool[1]);
        const tokens = whole + rows * (columns + (columnTokens ? 1 : 0)) + 2;
        const tiles = down * across + 1;
        return { vit: tiles, tokens, attention: tiles * side ** 4, frames: 0, text, omitted: tokens - 6 };
      },
    };
  },

  video(settings) {
    const size = settings.whole("size", ["video:size"], 378);
    const patch = settings.whole("patch_size", ["video:patch_size"], 14);
    const pool = settings.pair("pooling_size", ["video:pooling_size"], [3, 3]);
    const most = settings.whole("num_frames", ["video:num_frames"], 64);
    const fastest = settings.decimal("max_fps", ["video:max_fps"], 2);
    const samples = settings.flag("do_sample_frames", ["video:do_sample_frames"], true);
    const columnTokens = settings.flag("video_use_col_tokens", ["processor:video_use_col_tokens"], false);
    const own = settings.flag("use_frame_special_tokens", ["processor:use_frame_special_tokens"], true);
    const side = Math.floor(size / patch);
    const tokensOfFrame = Math.ceil(side / pool[0]) * (Math.ceil(side / pool[1]) + (columnTokens ? 1 : 0)) + 2;
    const soft = run("<im_patch>", tokensOfFrame - 2);
    const [start, end] = own ? ["<frame_start>", "<frame_end>"] : ["<im_start>", "<im_end>"];
    return {
      parameters: settings.resolved,
      sample(frames, fps) {
        if (!samples) return every(frames);
        const shot = fps ?? fastest;
        let count = most;
        if (shot > fastest) count = Math.min(count, Math.trunc((frames / shot) * fastest));
        count = Math.max(Math.min(count, frames), 1);
        return arange(0, frames, frames / count);
      },
      of(indices, { fps }) {
        const text = indices
          .map((index) => `${oneDecimal(index / (fps ?? fastest))} ${start}${soft.text}${end}`)
          .join(" ");
        return {
          vit: indices.length,
          tokens: indices.length * tokensOfFrame,
          attention: indices.length * side ** 4,
          frames: indices.length,
          text,
          omitted: indices.length * soft.omitted,
        };
      },
    };
  },
};
