import { every, type Family, refuse, run } from "./family.ts";
import { spread } from "./kimi-k25.ts";

/** Patches of an image that is brought as near as can be to the allowed number, its shape kept. */
function patchesOf(height: number, width: number, patch: number, pool: number, soft: number): number {
  const most = soft * pool ** 2;
  const target = most * patch ** 2;
  const factor = Math.sqrt(target / (height * width));
  const side = pool * patch;
  let h = Math.floor((factor * height) / side) * side;
  let w = Math.floor((factor * width) / side) * side;
  if (h === 0 && w === 0) refuse(`the processor would make it 0 x 0`);
  const longest = Math.floor(most / pool ** 2) * side;
  if (h === 0) [h, w] = [side, Math.min(Math.floor(width / height) * side, longest)];
  else if (w === 0) [h, w] = [Math.min(Math.floor(height / width) * side, longest), side];
  if (h * w > target) refuse(`the processor would make it ${h} x ${w}, more than ${most} patches`);
  return Math.floor(h / patch) * Math.floor(w / patch);
}

export const gemma4: Family = {
  name: "gemma4",
  about: "Gemma 4",
  counts: "patches",
  checkpoints: ["gemma4", "Gemma4"],
  published: { gemma4: {} },
  exif: "transpose",
  adds: ["<|video|>"],
  placeholders: (settings) => ({
    image: settings.text("image_token", ["tokenizer:image_token"], "<|image|>"),
    video: "<|video|>",
  }),

  image(settings) {
    const patch = settings.whole("patch_size", ["image:patch_size"], 16);
    const pool = settings.whole("pooling_kernel_size", ["image:pooling_kernel_size"], 3);
    const most = settings.whole("max_soft_tokens", ["image:max_soft_tokens"], 280);
    const token = settings.text("image_token", ["tokenizer:image_token"], "<|image|>");
    const boi = settings.text("boi_token", ["tokenizer:boi_token"], "<|image>");
    const eoi = settings.text("eoi_token", ["tokenizer:eoi_token"], "<image|>");
    return {
      parameters: settings.resolved,
      of(height, width) {
        const patches = patchesOf(height, width, patch, pool, most);
        const tokens = Math.floor(patches / pool ** 2);
        const soft = run(token, tokens);
        return {
          vit: patches,
          tokens,
          attention: patches ** 2,
          frames: 0,
          text: boi + soft.text + eoi,
          omitted: soft.omitted,
        };
      },
    };
  },

  video(settings) {
    const patch = settings.whole("patch_size", ["video:patch_size"], 16);
    const pool = settings.whole("pooling_kernel_size", ["video:pooling_kernel_size"], 3);
    const most = settings.whole("max_soft_tokens", ["video:max_soft_tokens"], 70);
    const samples = settings.flag("do_sample_frames", ["video:do_sample_frames"], true);
    const wanted = settings.whole("num_frames", ["video:num_frames"], 32);
    const boi = settings.text("boi_token", ["tokenizer:boi_token"], "<|image>");
    const eoi = settings.text("eoi_token", ["tokenizer:eoi_token"], "<image|>");
    return {
      parameters: settings.resolved,
      sample: (frames) => (samples ? spread(wanted, frames) : every(frames)),
      of(indices, { height, width, fps }) {
        const patches = patchesOf(height, width, patch, pool, most);
        const tokens = Math.floor(patches / pool ** 2);
        const soft = run("<|video|>", tokens);
        const two = (value: number) => String(value).padStart(2, "0");
        const times = indices.map((index) => {
          const seconds = index / (fps ?? 24);
          return `${two(Math.floor(seconds / 60))}:${two(Math.trunc(seconds % 60))}`;
        });
        return {
          vit: indices.length * patches,
          tokens: indices.length * tokens,
          attention: indices.length * patches ** 2,
          frames: indices.length,
          text: times.map((time) => `${time} ${boi}${soft.text}${eoi}`).join(" "),
          omitted: indices.length * soft.omitted,
        };
      },
    };
  },
};
