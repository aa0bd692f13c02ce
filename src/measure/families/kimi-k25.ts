import { every, type Family, knownRate, refuse, run } from "./family.ts";

/** Sides in patches after the image was made to fit, never larger, and padded to whole groups of merged patches. */
function grid(
  height: number,
  width: number,
  patch: number,
  merge: number,
  mostPatches: number,
  mostSide: number,
): [number, number] {
  const count = Math.max(1, Math.floor(height / patch)) * Math.max(1, Math.floor(width / patch));
  const side = mostSide * patch;
  const scale = Math.min(1, Math.sqrt(mostPatches / count), side / height, side / width);
  const factor = patch * merge;
  const padded = (length: number) => {
    const scaled = Math.min(Math.max(1, Math.trunc(length * scale)), side);
    return Math.floor((Math.ceil(scaled / factor) * factor) / patch);
  };
  return [padded(height), padded(width)];
}

/** HH:MM:SS.mmm, hours from 0 again after a day. */
function stamp(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  return `${two(h)}:${two(m)}:${two(s)}.${String(Math.trunc((seconds % 1) * 1000)).padStart(3, "0")}`;
}

export const kimik25: Family = {
  name: "kimi-k2.5",
  about: "Kimi-K2.5",
  counts: "patches",
  checkpoints: ["kimi_k25", "Kimi_K25", "KimiK25"],
  published: { "kimi-k2.5": {} },
  exif: "transpose",
  placeholders: (settings) => ({
    image: settings.text("image_token", ["tokenizer:image_token"], "<|media_pad|>"),
    video: settings.text("video_token", ["tokenizer:video_token"], "<|kimi_k25_video_placeholder|>"),
  }),

  image(settings) {
    const patch = settings.whole("patch_size", ["image:patch_size"], 14);
    const merge = settings.whole("merge_size", ["image:merge_size"], 2);
    const most = settings.whole("max_patches", ["image:max_patches"], 16384);
    const side = settings.whole("max_size_per_side", ["image:size.max_height"], 512);
    const token = settings.text("image_token", ["tokenizer:image_token"], "<|media_pad|>");
    return {
      parameters: settings.resolved,
      of(height, width) {
        const [rows, columns] = grid(height, width, patch, merge, most, side);
        const tokens = Math.floor((rows * columns) / merge ** 2);
        return {
          vit: rows * columns,
          tokens,
          attention: (rows * columns) ** 2,
          frames: 0,
          ...run(token, tokens),
        };
      },
    };
  },

  video(settings) {
    const patch = settings.whole("patch_size", ["video:patch_size", "image:patch_size"], 14);
    const merge = settings.whole("merge_size", ["video:merge_size", "image:merge_size"], 2);
    const temporal = settings.whole("temporal_patch_size", ["video:temporal_patch_size"], 4);
    const most = settings.whole("max_patches", ["video:max_patches"], 4096);
    const side = settings.whole("max_size_per_side", ["video:size.max_height"], 512);
    const samples = settings.flag("do_sample_frames", ["video:do_sample_frames"], true);
    const rate = settings.decimal("fps", ["video:fps"], 2);
    const token = settings.text("video_token", ["tokenizer:video_token"], "<|kimi_k25_video_placeholder|>");
    return {
      parameters: settings.resolved,
      sample(frames, fps) {
        if (!samples) return every(frames);
        const count = Math.max(1, Math.trunc((frames / knownRate(fps)) * rate));
        return spread(count, frames);
      },
      of(indices, { height, width, fps }) {
        const count = indices.length;
        const [rows, columns] = grid(height, width, patch, merge, most, side);
        const chunks = Math.ceil(count / temporal);
        const soft = run(token, Math.floor((rows * columns) / merge ** 2));
        let text = "";
        for (let i = 0; i < count; i += temporal) {
          const time = stamp(indices[i] / (fps ?? 24));
          text += `${time}<|media_begin|>video<|media_content|>${soft.text}<|media_end|>`;
        }
        return {
          vit: count * rows * columns,
          tokens: Math.floor((chunks * rows * columns) / merge ** 2),
          // The frames of a chunk are attended to together.
          attention: chunkSizes(count, temporal).reduce((sum, size) => sum + (size * rows * columns) ** 2, 0),
          frames: count,
          text,
          omitted: chunks * soft.omitted,
        };
      },
    };
  },
};

function chunkSizes(count: number, size: number): number[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => Math.min(size, count - i * size));
}

/** `count` of `frames` frames, evenly spread from the first on. */
export function spread(count: number, frames: number): number[] {
  if (count > frames) refuse(`${count} frames are to be taken from a video of ${frames}`);
  return Array.from({ length: count }, (_, i) => Math.floor((i * frames) / count));
}
