import { divideFloat32, roundHalfEven } from "./arithmetic.ts";
import { type Family, run } from "./family.ts";

export const llama4: Family = {
  name: "llama4",
  about: "Llama 4",
  counts: "tiles",
  checkpoints: ["llama4", "Llama4"],
  published: {
    llama4: { image: { size: 336, max_patches: 16 }, processor: { patch_size: 14, pixel_shuffle_ratio: 0.5 } },
  },
  exif: "transpose",
  placeholders: (settings) => ({
    image: settings.text("fake_image_token", ["processor:fake_image_token"], "<|image|>"),
  }),

  image(settings) {
    const size = settings.whole("size", ["image:size"], 336);
    const most = settings.whole("max_patches", ["image:max_patches"], 16);
    const patch = settings.whole("patch_size", ["processor:patch_size"], 14);
    const ratio = settings.decimal("pixel_shuffle_ratio", ["processor:pixel_shuffle_ratio"], 0.5);
    const fillsCanvas = settings.flag("resize_to_max_canvas", ["image:resize_to_max_canvas"], false);
    const side = Math.floor(size / patch);
    const tokensOfTile = Math.floor(side ** 2 / roundHalfEven(1 / ratio ** 2));
    const canvases: [number, number][] = [];
    for (let rows = 1; rows <= most; rows++) {
      for (let columns = 1; rows * columns <= most; columns++) canvases.push([rows, columns]);
    }
    /** The canvas that the image fits with the least change of scale; of those that fit alike, the smallest. */
    const choose = (height: number, width: number): [number, number] => {
      const scales = canvases.map(([rows, columns]) =>
        Math.min(divideFloat32(rows * size, height), divideFloat32(columns * size, width)),
      );
      const larger = scales.filter((scale) => scale >= 1);
      const scale = larger.length === 0 ? Math.max(...scales) : fillsCanvas ? Math.max(...larger) : Math.min(...larger);
      let best: [number, number] | undefined;
      for (const [i, canvas] of canvases.entries()) {
        if (scales[i] !== scale) continue;
        if (best === undefined || canvas[0] * canvas[1] < best[0] * best[1]) best = canvas;
      }
      return best ?? [1, 1];
    };
    const soft = run("<|patch|>", tokensOfTile);
    return {
      parameters: settings.resolved,
      of(height, width) {
        const [rows, columns] = choose(height, width);
        const split = rows * columns > 1;
        const tiles = split ? rows * columns + 1 : 1;
        const row = Array(columns).fill(soft.text).join("<|tile_x_separator|>");
        const before = split ? `${row}<|tile_y_separator|>`.repeat(rows) : "";
        return {
          vit: tiles,
          // A separator after each tile but the last of a row, and after each row.
          tokens: tokensOfTile * tiles + (split ? rows * columns : 0) + 3,
          attention: tiles * side ** 4,
          frames: 0,
          text: `<|image_start|>${before}<|image|>${soft.text}<|image_end|>`,
          omitted: tiles * soft.omitted,
        };
      },
    };
  },
};
