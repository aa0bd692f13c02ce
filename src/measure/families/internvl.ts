import { arange } from "./arithmetic.ts";
import { every, type Family, knownRate, refuse, run } from "./family.ts";
import type { Settings } from "./settings.ts";

/** The blank image of a sample without one is a habit of the original training code, which `internvl_chat` stands for. */
const original = (settings: Settings) => settings.is("config:model_type", "internvl_chat");

function common(settings: Settings) {
  const imageSize = settings.whole(
    "image_size",
    ["given:tile_size", "config:force_image_size", "image:size"],
    original(settings) ? 448 : 384,
  );
  const patchSize = settings.whole("vision_patch_size", ["config:vision_config.patch_size"], 14);
  const ratio = settings.decimal("downsample_ratio", ["config:downsample_ratio"], 0.5);
  const side = Math.floor(imageSize / patchSize);
  return {
    imageSize,
    patchesOfTile: side ** 2,
    tokensOfTile: settings.whole(
      "image_seq_length",
      ["given:tokens_per_tile", "processor:image_seq_length", "config:image_seq_length"],
      original(settings) ? Math.max(Math.floor(side ** 2 * ratio ** 2), 1) : 256,
    ),
    // Tokens before and after the tiles of an image.
    around: settings.whole("extra_tokens", ["given:tokens_around_image", "given:extra_tokens_per_frame"], 2, 0),
    start: settings.text("start_image_token", ["tokenizer:start_image_token"], "<img>"),
    end: settings.text("end_image_token", ["tokenizer:end_image_token"], "</img>"),
    context: settings.text("context_image_token", ["tokenizer:context_image_token"], "<IMG_CONTEXT>"),
  };
}

/** Grids of columns x rows with least..most tiles, by tiles, then columns. */
function grids(least: number, most: number): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (let columns = 1; columns <= most; columns++) {
    for (let rows = 1; columns * rows <= most; rows++) if (columns * rows >= least) found.push([columns, rows]);
  }
  return found.sort((a, b) => a[0] * a[1] - b[0] * b[1]);
}

/** Tiles of the grid whose shape is nearest to the image's; of equally near ones a later one if the image is large. */
function tilesOf(
  height: number,
  width: number,
  tile: number,
  choices: readonly { readonly tiles: number; readonly ratio: number }[],
): number {
  const ratio = width / height;
  let least = Number.POSITIVE_INFINITY;
  let best = 1;
  for (const choice of choices) {
    const difference = Math.abs(ratio - choice.ratio);
    if (difference < least) {
      least = difference;
      best = choice.tiles;
    } else if (difference === least && height * width > 0.5 * tile * tile * choice.tiles) {
      best = choice.tiles;
    }
  }
  return best;
}

export const internvl: Family = {
  name: "internvl",
  about: "InternVL 1.5, 2, 2.5, 3, 3.5",
  counts: "tiles",
  checkpoints: ["internvl_chat", "internvl", "InternVL", "GotOcr2"],
  published: Object.fromEntries(
    (
      [
        ["internvl1.5", "internlm2-chat"],
        ["internvl2", "internlm2-chat"],
        ["internvl2.5", "internvl2_5"],
        ["internvl3", "internvl2_5"],
        ["internvl3.5", "internvl2_5"],
      ] as const
    ).map(([name, template]) => [
      name,
      {
        config: {
          model_type: "internvl_chat",
          template,
          force_image_size: 448,
          max_dynamic_patch: 12,
          use_thumbnail: true,
        },
      },
    ]),
  ),
  exif: "ignore",
  placeholders: (settings) => ({
    image: original(settings)
      ? "<image>"
      : settings.text("context_image_token", ["tokenizer:context_image_token"], "<IMG_CONTEXT>"),
    video: settings.text("video_token", ["tokenizer:video_token"], "<video>"),
  }),
  adds: ["<img>", "</img>", "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>"],
  dummy: (settings) => (settings.flag("dummy_image", [], original(settings)) ? 1 : 0),

  image(settings) {
    const { imageSize, patchesOfTile, tokensOfTile, around, start, end, context } = common(settings);
    const least = settings.whole(
      "min_patches",
      ["given:min_tiles", "config:min_dynamic_patch", "image:min_patches"],
      1,
    );
    const most = settings.whole(
      "max_patches",
      ["given:max_tiles", "config:max_dynamic_patch", "image:max_patches"],
      12,
    );
    const thumbnail = settings.flag("use_thumbnail", ["given:thumbnail", "config:use_thumbnail"], true);
    // A preprocessor_config.json may say crop_to_patches false: the processor overrides it.
    const crops = settings.flag("crop_to_patches", ["config:dynamic_image_size"], true);
    // The original training code divides the most tiles among the images of a sample; transformers does not.
    const divides = settings.flag("divide_among_images", [], original(settings));
    const choices = new Map<number, { tiles: number; ratio: number }[]>();
    const choicesFor = (limit: number) => {
      let list = choices.get(limit);
      if (list === undefined) {
        list = grids(least, limit).map(([columns, rows]) => ({ tiles: columns * rows, ratio: columns / rows }));
        choices.set(limit, list);
      }
      return list;
    };
    return {
      parameters: settings.resolved,
      of(height, width, { images }) {
        const limit = divides && images > 1 ? Math.max(1, Math.floor(most / images)) : most;
        let tiles = 1;
        if (crops && limit > 1) {
          tiles = tilesOf(height, width, imageSize, choicesFor(limit));
          if (thumbnail && tiles > 1) tiles++;
        }
        const soft = run(context, tokensOfTile * tiles);
        return {
          vit: tiles,
          tokens: tokensOfTile * tiles + around,
          attention: tiles * patchesOfTile ** 2,
          frames: 0,
          text: start + soft.text + end,
          omitted: soft.omitted + around - 2,
        };
      },
    };
  },

  video(settings) {
    const { patchesOfTile, tokensOfTile, around, start, end, context } = common(settings);
    const isOriginal = original(settings);
    const samples = settings.flag("do_sample_frames", ["video:do_sample_frames"], isOriginal);
    // The original code draws a number of frames between 8 and 32 for each video: the most is counted.
    const most = settings.maybeWhole("max_num_frame", [], isOriginal ? 32 : null);
    const wanted = settings.maybeWhole("num_frames", ["video:num_frames"], null);
    const rate = settings.maybeDecimal("fps", ["video:fps"], null);
    return {
      parameters: settings.resolved,
      sample(frames, fps) {
        if (most !== null) return every(Math.min(frames, most));
        let count = wanted;
        if (count === null && samples && rate !== null) count = Math.trunc((frames / knownRate(fps)) * rate);
        if (count === null) return every(frames);
        if (count > frames) refuse(`${count} frames are to be taken from a video of ${frames}`);
        if (count < 1) refuse(`no frame is taken from a video of ${frames}`);
        const step = frames / count;
        return arange(step / 2, frames, step);
      },
      of({ length }) {
        const name = isOriginal ? "Frame-" : "Frame";
        const soft = run(context, tokensOfTile);
        return {
          vit: length,
          tokens: (tokensOfTile + around) * length,
          attention: length * patchesOfTile ** 2,
          frames: length,
          text: Array.from({ length }, (_, i) => `${name}${i + 1}: ${start}${soft.text}${end}`).join("\n"),
          omitted: (soft.omitted + around - 2) * length,
        };
      },
    };
  },
};
