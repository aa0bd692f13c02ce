import { type Family, type ImageRule, run } from "./family.ts";
import type { Settings } from "./settings.ts";

/** The processor makes no image larger than this, whatever its parameters say. */
const LARGEST = 4096;

/** Height and width after the long side was brought to `longest`, as the processor rounds them. */
function resized(height: number, width: number, longest: number): [number, number] {
  const ratio = width / height;
  let [h, w] = [longest, longest];
  if (width >= height) {
    h = Math.trunc(w / ratio);
    if (h % 2 !== 0) h++;
  } else {
    w = Math.trunc(h * ratio);
    if (w % 2 !== 0) w++;
  }
  [h, w] = [Math.max(h, 1), Math.max(w, 1)];
  const again = w / h;
  if (w >= h && w > LARGEST) [h, w] = [Math.trunc(LARGEST / again), LARGEST];
  else if (h > w && h > LARGEST) [h, w] = [LARGEST, Math.trunc(LARGEST * again)];
  return [Math.max(h, 1), Math.max(w, 1)];
}

/** The words around the pictures of Idefics3 and SmolVLM. */
export function ideficsWords(settings: Settings) {
  return {
    fake: settings.text("fake_image_token", ["tokenizer:fake_image_token"], "<fake_token_around_image>"),
    token: settings.text("image_token", ["tokenizer:image_token"], "<image>"),
    global: settings.text("global_image_token", ["tokenizer:global_image_token"], "<global-img>"),
  };
}

/** The rule of Idefics3's image processor, which SmolVLM uses too, with other defaults. */
export function idefics3Image(
  settings: Settings,
  defaults: { longest: number; tile: number; tokens: number; patch: number },
): ImageRule {
  const longest = settings.whole("longest_edge", ["image:size.longest_edge"], defaults.longest);
  const tile = settings.whole(
    "max_image_size",
    ["image:max_image_size.longest_edge", "image:max_image_size"],
    defaults.tile,
  );
  const tokensOfTile = settings.whole("image_seq_len", ["processor:image_seq_len"], defaults.tokens);
  const splits = settings.flag("do_image_splitting", ["image:do_image_splitting"], true);
  const patch = settings.whole("patch_size", ["config:vision_config.patch_size"], defaults.patch);
  const { fake, token, global } = ideficsWords(settings);
  const soft = run(token, tokensOfTile);
  const texts = new Map<string, string>();
  const textOf = (rows: number, columns: number) => {
    const key = `${rows} ${columns}`;
    let text = texts.get(key);
    if (text === undefined) {
      text = "";
      for (let r = 1; r <= rows; r++) {
        for (let c = 1; c <= columns; c++) text += `${fake}<row_${r}_col_${c}>${soft.text}`;
        text += "\n";
      }
      if (rows > 0) text += "\n";
      text += fake + global + soft.text + fake;
      texts.set(key, text);
    }
    return text;
  };
  return {
    parameters: settings.resolved,
    of(height, width) {
      let [rows, columns] = [0, 0];
      if (splits) {
        const [h, w] = resized(height, width, longest);
        if (h > tile || w > tile) [rows, columns] = [Math.ceil(h / tile), Math.ceil(w / tile)];
      }
      const tiles = rows * columns + 1;
      // A row ends with a line feed; the two before the whole picture are counted as one token, `text` tells truly.
      const tokens = tokensOfTile + 3 + rows * ((tokensOfTile + 2) * columns + 1);
      return {
        vit: tiles,
        tokens,
        attention: tiles * Math.floor(tile / patch) ** 4,
        frames: 0,
        text: textOf(rows, columns),
        omitted: tiles * soft.omitted,
      };
    },
  };
}

export const idefics3: Family = {
  name: "idefics3",
  about: "Idefics3",
  counts: "tiles",
  checkpoints: ["idefics3", "Idefics3"],
  published: {
    idefics3: {
      image: { size: { longest_edge: 1456 }, max_image_size: { longest_edge: 364 } },
      processor: { image_seq_len: 169 },
    },
  },
  exif: "transpose",
  placeholders: (settings) => ({ image: ideficsWords(settings).token }),
  image: (settings) => idefics3Image(settings, { longest: 1456, tile: 364, tokens: 169, patch: 14 }),
};
