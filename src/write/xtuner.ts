import { OptionError } from "../core/errors.ts";
import type { Format, Pieces, Written } from "./format.ts";
import { npyInt64, npyVector } from "./npy-file.ts";
import { packingText } from "./packing-text.ts";

/** path_id, sample_idx (in its file), char_start, char_end, token_start, token_end. */
const COLUMNS = 6;

/** The rows of `samples`: whole samples, so characters are -1 and tokens run from 0 to the length. */
function rows(samples: Int32Array, { tokens, files }: Written): Pieces {
  if (tokens === undefined) {
    throw new OptionError(
      "INVALID_OPTION",
      "format xtuner has each sample's tokens, which are no load of this packing",
    );
  }
  const starts = [0];
  for (const file of files) starts.push(starts[starts.length - 1] + file.samples);
  /** The last file that starts at or before the sample; one without samples starts where the next does. */
  const fileOf = (sample: number) => {
    let low = 0;
    let high = files.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= sample) low = middle;
      else high = middle;
    }
    return low;
  };
  let file = 0;
  return npyInt64([samples.length, COLUMNS], (i) => {
    const sample = samples[Math.floor(i / COLUMNS)];
    switch (i % COLUMNS) {
      case 0:
        file = fileOf(sample);
        return file;
      case 1:
        return sample - starts[file];
      case 2:
      case 3:
        return -1;
      case 4:
        return 0;
      default:
        return tokens[sample];
    }
  });
}

/** The head of the packing, with the number of samples of each path, as rows count within their files. */
function head({ core, packing, files }: Written): Pieces {
  const text = Array.from(packingText(core, packing, "head"), (piece) => new TextDecoder().decode(piece)).join("");
  const sizes = JSON.stringify(files.map(({ path, samples }) => ({ path, samples })));
  return [new TextEncoder().encode(`${text.slice(0, text.lastIndexOf("}"))},"files":${sizes}}\n`)];
}

/** XTuner's preset packs. It knows no oversize samples: they are rows like the others, in a file of their own. */
export const xtunerFormat = {
  name: "xtuner",
  about:
    "XTuner's preset-pack folder: boundaries.npy, samples.npy, paths.json; oversize samples in oversize.npy; packing.json says what it was made of",
  folder: {
    "boundaries.npy": ({ packing }) => npyVector(packing.offsets),
    "samples.npy": (written) => rows(written.packing.indices, written),
    "oversize.npy": (written) => rows(written.packing.oversize, written),
    "invalid.npy": (written) => rows(written.packing.invalid, written),
    "paths.json": ({ files }) => [new TextEncoder().encode(`${JSON.stringify(files.map((file) => file.path))}\n`)],
    "packing.json": head,
  },
  onlyIf: { "invalid.npy": ({ packing }) => packing.invalid.length > 0 },
} as const satisfies Format;
