import { linspace, oneDecimal, roundHalfEven } from "./arithmetic.ts";
import { every, type Family, type Published, run, stepLoads } from "./family.ts";
import { qwenImage, qwenPlaceholders } from "./qwen2-vl.ts";
import { resize3d } from "./resize.ts";

/** Frames per second that the processor assumes if they are not given. */
const RATE = 24;

const CLASS = { patch: 16, least: 65536, most: 16777216 };
const PUBLISHED: Published = {
  image: { patch_size: 16, min_pixels: 65536, max_pixels: 16777216 },
  video: { patch_size: 16, shortest_edge: 4096, longest_edge: 25165824 },
};

export const qwen3vl: Family = {
  name: "qwen3-vl",
  about: "Qwen3-VL, Qwen3.5",
  counts: "patches",
  checkpoints: ["qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe", "Qwen3VL"],
  published: { "qwen3-vl": PUBLISHED, "qwen3.5": PUBLISHED },
  exif: "ignore",
  placeholders: qwenPlaceholders,
  image: (settings) => qwenImage(settings, CLASS),

  video(settings) {
    const patch = settings.whole("patch_size", ["video:patch_size", "image:patch_size"], 16);
    const merge = settings.whole("merge_size", ["video:merge_size", "image:merge_size"], 2);
    const temporal = settings.whole("temporal_patch_size", ["video:temporal_patch_size"], 2);
    const least = settings.whole("shortest_edge", ["video:size.shortest_edge", "video:min_pixels"], 128 * 32 * 32);
    const most = settings.whole("longest_edge", ["video:size.longest_edge", "video:max_pixels"], 32 * 32 * 768);
    const samples = settings.flag("do_sample_frames", ["video:do_sample_frames"], true);
    const wanted = settings.maybeWhole("num_frames", ["video:num_frames"], null);
    const rate = settings.decimal("fps", ["video:fps"], 2);
    const minFrames = settings.whole("min_frames", ["video:min_frames"], 4);
    const maxFrames = settings.whole("max_frames", ["video:max_frames"], 768);
    const caps = settings.flag("cap_pixels_per_frame", ["video:cap_pixels_per_frame"], false);
    const maxTokens = settings.whole("max_video_tokens", ["video:max_video_tokens"], 768);
    const token = settings.text("video_token", ["tokenizer:video_token"], "<|video_pad|>");
    const start = settings.text("vision_start_token", ["tokenizer:vision_start_token"], "<|vision_start|>");
    const end = settings.text("vision_end_token", ["tokenizer:vision_end_token"], "<|vision_end|>");
    const factor = patch * merge;

    return {
      parameters: settings.resolved,
      sample(frames, fps) {
        if (!samples) return every(frames);
        const count =
          wanted ?? Math.min(Math.max(Math.trunc((frames / (fps ?? RATE)) * rate), minFrames), maxFrames, frames);
        return linspace(0, frames - 1, count).map(roundHalfEven);
      },
      of(indices, { height, width, fps }) {
        const count = indices.length;
        let limit = most;
        if (caps) {
          const frame = Math.max(
            Math.min(maxTokens * factor * factor, Math.floor(most / count)),
            Math.trunc(least * 1.05),
          );
          limit = frame * count;
        }
        const [h, w] = resize3d(count, height, width, temporal, factor, { least, most: limit });
        const steps = Math.ceil(count / temporal);
        const patches = Math.floor(h / patch) * Math.floor(w / patch);
        const soft = run(token, Math.floor(patches / merge ** 2));
        const times = indices.map((index) => index / (fps ?? RATE));
        while (times.length % temporal !== 0) times.push(times[times.length - 1]);
        let text = "";
        for (let i = 0; i < times.length; i += temporal) {
          text += `<${oneDecimal((times[i] + times[i + temporal - 1]) / 2)} seconds>${start}${soft.text}${end}`;
        }
        return { ...stepLoads(steps, patches, merge, count), text, omitted: steps * soft.omitted };
      },
    };
  },
};
