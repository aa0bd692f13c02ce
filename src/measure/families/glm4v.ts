import { linspace, roundHalfEven, unique } from "./arithmetic.ts";
import { every, type Family, type ImageRule, knownRate, run, stepLoads, type VideoRule } from "./family.ts";
import { resize3d } from "./resize.ts";
import type { Settings } from "./settings.ts";

const PATCH = 14;
const VIDEO_AREA = 28 * 28 * 2 * 30000;

/** The rule of GLM's image processors: limits act on two frames, which an image is taken for. */
export function glmImage(settings: Settings): ImageRule {
  const patch = settings.whole("patch_size", ["image:patch_size"], PATCH);
  const merge = settings.whole("merge_size", ["image:merge_size"], 2);
  const temporal = settings.whole("temporal_patch_size", ["image:temporal_patch_size"], 2);
  const least = settings.whole("shortest_edge", ["image:size.shortest_edge", "image:min_pixels"], 112 * 112);
  const most = settings.whole("longest_edge", ["image:size.longest_edge", "image:max_pixels"], 28 * 28 * 15000);
  const token = settings.text("image_token", ["tokenizer:image_token"], "<|image|>");
  return {
    parameters: settings.resolved,
    of(height, width) {
      const [h, w] = resize3d(temporal, height, width, temporal, patch * merge, { least, most });
      const patches = Math.floor(h / patch) * Math.floor(w / patch);
      const tokens = Math.floor(patches / merge ** 2);
      return { vit: patches, tokens, attention: patches ** 2, frames: 0, ...run(token, tokens) };
    },
  };
}

/** How many seconds a video lasts, as its metadata says. */
export const duration = (frames: number, fps: number) => frames / fps;

/** Frames without repetitions; an odd number of them is made even by the last. */
export function even(indices: readonly number[]): number[] {
  const found = unique(indices);
  if (found.length % 2 === 1) found.push(found[found.length - 1]);
  return found;
}

/** A video is a series of pictures, each followed by its time, as `stamp` writes it. */
export function glmVideo(
  settings: Settings,
  sample: (frames: number, fps: number, temporal: number) => number[],
  stamp: (seconds: number) => string,
): VideoRule {
  const patch = settings.whole("patch_size", ["video:patch_size", "image:patch_size"], PATCH);
  const merge = settings.whole("merge_size", ["video:merge_size", "image:merge_size"], 2);
  const temporal = settings.whole("temporal_patch_size", ["video:temporal_patch_size"], 2);
  const least = settings.whole("shortest_edge", ["video:size.shortest_edge", "video:min_pixels"], 112 * 112);
  const most = settings.whole("longest_edge", ["video:size.longest_edge", "video:max_pixels"], VIDEO_AREA);
  const samples = settings.flag("do_sample_frames", ["video:do_sample_frames"], true);
  const token = settings.text("image_token", ["tokenizer:image_token"], "<|image|>");
  return {
    parameters: settings.resolved,
    sample: (frames, fps) => (samples ? sample(frames, knownRate(fps), temporal) : every(frames)),
    of(indices, { height, width, fps }) {
      const count = indices.length;
      const [h, w] = resize3d(count, height, width, temporal, patch * merge, { least, most });
      const steps = Math.ceil(count / temporal);
      const patches = Math.floor(h / patch) * Math.floor(w / patch);
      const soft = run(token, Math.floor(patches / merge ** 2));
      // Every second frame gives its time, whatever the temporal patch size is.
      const times = indices.filter((_, i) => i % 2 === 0).map((index) => index / (fps ?? 24));
      let text = "";
      for (let i = 0; i < steps; i++) {
        const seconds = times[Math.min(i, times.length - 1)] ?? 0;
        text += `<|begin_of_image|>${soft.text}<|end_of_image|>${stamp(seconds)}`;
      }
      return { ...stepLoads(steps, patches, merge, count), text, omitted: steps * soft.omitted };
    },
  };
}

export function glmPlaceholders(settings: Settings) {
  const image = settings.text("image_token", ["tokenizer:image_token"], "<|image|>");
  const video = settings.text("video_token", ["tokenizer:video_token"], "<|video|>");
  return {
    image,
    video,
    inline: {
      image: `<|begin_of_image|>${image}<|end_of_image|>`,
      video: `<|begin_of_video|>${video}<|end_of_video|>`,
    },
  };
}

const PUBLISHED = {
  image: { shortest_edge: 12544, longest_edge: 9633792 },
  video: { shortest_edge: 12544, longest_edge: VIDEO_AREA },
};

export const glm4v: Family = {
  name: "glm-4.1v",
  about: "GLM-4.1V, GLM-4.5V",
  counts: "patches",
  checkpoints: ["glm4v", "glm4v_moe", "Glm4v"],
  published: { "glm-4.1v": PUBLISHED, "glm-4.5v": PUBLISHED },
  exif: "transpose",
  placeholders: glmPlaceholders,
  image: glmImage,

  video(settings) {
    const rate = settings.decimal("fps", ["video:fps"], 2);
    const longest = settings.decimal("max_duration", ["video:max_duration"], 300);
    const sample = (frames: number, fps: number) => {
      const last = frames - 1;
      const seconds = duration(frames, fps) || roundHalfEven(last / fps) + 1;
      if (seconds <= longest) {
        const count = Math.max(Math.floor(seconds * rate), 1);
        return even(Array.from({ length: count }, (_, i) => Math.min(last, Math.ceil((i * fps) / rate))));
      }
      const count = Math.trunc(longest * rate);
      if (count >= frames) return even(every(frames));
      return even(linspace(0, seconds, count).map((time) => Math.min(last, Math.ceil(time * fps))));
    };
    return glmVideo(settings, sample, (seconds) => String(Math.trunc(seconds)));
  },
};
