import type { Family } from "./family.ts";
import { pixtralImage, pixtralWords } from "./pixtral.ts";

export const mistral3: Family = {
  name: "mistral3",
  about: "Mistral Small 3.1 and later",
  counts: "patches",
  checkpoints: ["mistral3", "Mistral3"],
  published: {
    "mistral-small-3.1": {
      image: { size: { longest_edge: 1540 } },
      processor: { patch_size: 14, spatial_merge_size: 2 },
    },
  },
  exif: "transpose",
  placeholders: (settings) => ({ image: pixtralWords(settings).image }),
  image: (settings) => pixtralImage(settings, { longest: 1540, patch: 14, merge: 2 }),
};
