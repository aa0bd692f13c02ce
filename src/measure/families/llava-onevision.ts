import { bestResolution, pinpoints, unpadded } from "./anyres.ts";
import { floorDivide } from "./arithmetic.ts";
import { every, type Family, run } from "./family.ts";
import { spread } from "./kimi-k25.ts";
import { droppedTokens, llavaToken } from "./llava.ts";
import type { Settings } from "./settings.ts";

const TILE = 384;
const RESOLUTIONS: readonly (readonly [number, number])[] = Array.from(
  { length: 36 },
  (_, k) => [TILE * (1 + Math.floor(k / 6)), TILE * (1 + (k % 6))] as const,
);

const tokensOfView = (settings: Settings) => settings.whole("num_image_tokens", ["processor:num_image_tokens"], 729);

export const llavaOnevision: Family = {
  name: "llava-onevision",
  about: "LLaVA-OneVision",
  counts: "tiles",
  checkpoints: ["llava_onevision", "LlavaOnevision"],
  published: { "llava-onevision": { image: { size: TILE }, processor: { vision_feature_select_strategy: "full" } } },
  exif: "transpose",
  placeholders: (settings) => ({
    image: llavaToken(settings),
    video: settings.text("video_token", ["tokenizer:video_token", "processor:video_token"], "<video>"),
  }),

  image(settings) {
    const size = settings.whole("size", ["image:size.shortest_edge", "image:size"], TILE);
    const view = tokensOfView(settings);
    const dropped = droppedTokens(settings, "full");
    const ratio = settings.text(
      "vision_aspect_ratio",
      ["processor:vision_aspect_ratio", "config:vision_aspect_ratio"],
      "anyres_max_9",
    );
    const resolutions = pinpoints(settings, RESOLUTIONS);
    const token = llavaToken(settings);
    const most = Number(/\d+$/.exec(ratio)?.[0] ?? 9);
    const side = Math.floor(Math.sqrt(view));
    return {
      parameters: settings.resolved,
      of(height, width, { images }) {
        // Several images in a sample: each is seen once, as a whole.
        if (images > 1) {
          const tokens = view + 1 - dropped;
          return { vit: 1, tokens, attention: view ** 2, frames: 0, ...run(token, tokens) };
        }
        const [h, w] = bestResolution(height, width, resolutions);
        const [down, across] = [Math.floor(h / size), Math.floor(w / size)];
        let [rows, columns] = unpadded(height, width, side * down, side * across);
        const shrink = Math.sqrt((rows * columns) / (most * side ** 2));
        if (shrink > 1.1) [rows, columns] = [floorDivide(rows, shrink), floorDivide(columns, shrink)];
        const tokens = rows * columns + rows + view - dropped;
        const vit = 1 + down * across;
        return { vit, tokens, attention: vit * view ** 2, frames: 0, ...run(token, tokens) };
      },
    };
  },

  video(settings) {
    const view = tokensOfView(settings);
    const wanted = settings.maybeWhole("num_frames", ["video:num_frames"], null);
    const samples = settings.flag("do_sample_frames", ["video:do_sample_frames"], wanted !== null);
    const token = settings.text("video_token", ["tokenizer:video_token", "processor:video_token"], "<video>");
    const pooled = Math.ceil(Math.floor(Math.sqrt(view)) / 2) ** 2;
    return {
      parameters: settings.resolved,
      sample: (frames) => (wanted === null || !samples ? every(frames) : spread(wanted, frames)),
      of({ length }) {
        const tokens = length * pooled + 1;
        return { vit: length, tokens, attention: length * view ** 2, frames: length, ...run(token, tokens) };
      },
    };
  },
};
