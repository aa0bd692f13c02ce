import { arange, roundHalfEven } from "./arithmetic.ts";
import { every, type Family, type ImageRule, knownRate, type Published, refuse, run, stepLoads } from "./family.ts";
import { resize2d } from "./resize.ts";
import type { Settings } from "./settings.ts";

export function qwenPlaceholders(settings: Settings) {
  const image = settings.text("image_token", ["tokenizer:image_token"], "<|image_pad|>");
  const video = settings.text("video_token", ["tokenizer:video_token"], "<|video_pad|>");
  const around = (token: string) => `<|vision_start|>${token}<|vision_end|>`;
  return { image, video, inline: { image: around(image), video: around(video) } };
}

/** The rule of Qwen2-VL's image processor, which Qwen3-VL uses too, with other defaults. */
export function qwenImage(settings: Settings, defaults: { patch: number; least: number; most: number }): ImageRule {
  const patch = settings.whole("patch_size", ["image:patch_size"], defaults.patch);
  const merge = settings.whole("merge_size", ["image:merge_size"], 2);
  // The older spelling wins where both are there, as in the processor.
  const least = settings.whole(
    "min_pixels",
    ["image:min_pixels", "image:size.shortest_edge", "image:size.min_pixels"],
    defaults.least,
  );
  const most = settings.whole(
    "max_pixels",
    ["image:max_pixels", "image:size.longest_edge", "image:size.max_pixels"],
    defaults.most,
  );
  const token = settings.text("image_token", ["tokenizer:image_token"], "<|image_pad|>");
  return {
    parameters: settings.resolved,
    of(height, width) {
      const [h, w] = resize2d(height, width, patch * merge, { least, most });
      const patches = Math.floor(h / patch) * Math.floor(w / patch);
      const tokens = Math.floor(patches / merge ** 2);
      return { vit: patches, tokens, attention: patches ** 2, frames: 0, ...run(token, tokens) };
    },
  };
}

const CLASS = { patch: 14, least: 56 * 56, most: 28 * 28 * 1280 };
const PUBLISHED: Published = {
  image: { min_pixels: 3136, max_pixels: 12845056 },
  video: { min_pixels: 100352, max_pixels: 602112 },
};

export const qwen2vl: Family = {
  name: "qwen2-vl",
  about: "Qwen2-VL, Qwen2.5-VL",
  counts: "patches",
  checkpoints: ["qwen2_vl", "qwen2_5_vl", "Qwen2VL", "Qwen2_5_VL"],
  published: { "qwen2-vl": PUBLISHED, "qwen2.5-vl": PUBLISHED },
  exif: "ignore",
  placeholders: qwenPlaceholders,
  image: (settings) => qwenImage(settings, CLASS),

  video(settings) {
    const patch = settings.whole("patch_size", ["video:patch_size", "image:patch_size"], 14);
    const merge = settings.whole("merge_size", ["video:merge_size", "image:merge_size"], 2);
    const temporal = settings.whole(
      "temporal_patch_size",
      ["video:temporal_patch_size", "image:temporal_patch_size"],
      2,
    );
    const least = settings.whole("min_pixels", ["video:min_pixels", "video:size.shortest_edge"], 128 * 28 * 28);
    const most = settings.whole("max_pixels", ["video:max_pixels", "video:size.longest_edge"], 28 * 28 * 768);
    const samples = settings.flag("do_sample_frames", ["video:do_sample_frames"], false);
    const wanted = settings.maybeWhole("num_frames", ["video:num_frames"], null);
    const rate = settings.maybeDecimal("fps", ["video:fps"], null);
    const minFrames = settings.whole("min_frames", ["video:min_frames"], 4);
    const maxFrames = settings.whole("max_frames", ["video:max_frames"], 768);
    const caps = settings.flag("cap_pixels_per_frame", ["video:cap_pixels_per_frame"], false);
    const maxTokens = settings.whole("max_video_tokens", ["video:max_video_tokens"], 128000);
    const token = settings.text("video_token", ["tokenizer:video_token"], "<|video_pad|>");
    const factor = patch * merge;

    return {
      parameters: settings.resolved,
      sample(frames, fps) {
        if (!samples || (wanted === null && rate === null)) return every(frames);
        let count: number;
        if (wanted !== null) count = roundHalfEven(wanted / temporal) * temporal;
        else {
          const ceiling = Math.floor(Math.min(maxFrames, frames) / temporal) * temporal;
          count = Math.min(Math.max((frames / knownRate(fps)) * (rate ?? 1), minFrames), ceiling, frames);
          count = Math.floor(count / temporal) * temporal;
        }
        if (count > frames) refuse(`${count} frames are to be taken from a video of ${frames}`);
        if (count < 1) refuse(`no frame is taken from a video of ${frames}`);
        // In floating point the range can have one value more than asked for.
        return arange(0, frames, frames / count);
      },
      of({ length: count }, { height, width }) {
        let limit = most;
        if (caps) {
          const total = Math.trunc(maxTokens * factor * factor * 0.9);
          limit = Math.max(Math.min(most, Math.floor((total * temporal) / count)), Math.trunc(least * 1.05));
        }
        const [h, w] = resize2d(height, width, factor, { least, most: limit });
        const steps = Math.ceil(count / temporal);
        const patches = Math.floor(h / patch) * Math.floor(w / patch);
        const loads = stepLoads(steps, patches, merge, count);
        return { ...loads, ...run(token, loads.tokens) };
      },
    };
  },
};
