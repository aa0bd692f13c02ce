// "Any resolution": an image is brought into the one of several rectangles of tiles that wastes least of it, and what
// the padding took is cut off again.
import { roundTo7 } from "./arithmetic.ts";
import type { Pair, Settings } from "./settings.ts";

/** The resolutions to choose from. */
export function pinpoints(settings: Settings, fallback: readonly Pair[]): readonly Pair[] {
  return settings.pairs(
    "image_grid_pinpoints",
    ["image:image_grid_pinpoints", "config:image_grid_pinpoints"],
    fallback,
  );
}

/**
 * The resolution that keeps most of the image and wastes least; the first of equally good ones. Both as [a, b]. A strip
 * of which no resolution keeps a pixel by this measure gets the smallest one, as in the processors.
 */
export function bestResolution(
  a: number,
  b: number,
  resolutions: readonly (readonly [number, number])[],
): readonly [number, number] {
  let best = resolutions[0];
  let most = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const resolution of resolutions) {
    const [p, q] = resolution;
    const scale = Math.min(q / b, p / a);
    const kept = Math.min(Math.trunc(b * scale) * Math.trunc(a * scale), a * b);
    const wasted = p * q - kept;
    if (kept > most || (kept === most && wasted < least)) {
      most = kept;
      least = wasted;
      best = resolution;
    }
  }
  return best;
}

/** Rows and columns of features that are left of a grid of `rows` x `columns` when the padding is cut off. */
export function unpadded(height: number, width: number, rows: number, columns: number): [number, number] {
  if (width / height > columns / rows) {
    const real = Math.trunc(roundTo7(height * (columns / width)));
    return [rows - 2 * Math.floor((rows - real) / 2), columns];
  }
  const real = Math.trunc(roundTo7(width * (rows / height)));
  return [rows, columns - 2 * Math.floor((columns - real) / 2)];
}
