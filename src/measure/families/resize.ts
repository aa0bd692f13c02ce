// How Qwen's and GLM's processors find the size that an image is brought to.
import { roundHalfEven } from "./arithmetic.ts";
import { refuse } from "./family.ts";

export interface Limits {
  readonly least: number;
  readonly most: number;
}

function refuseStrips(height: number, width: number): void {
  const ratio = Math.max(height, width) / Math.min(height, width);
  if (ratio > 200) refuse(`one side is ${ratio} times the other, the processor takes at most 200`);
}

/**
 * The nearest multiples of `factor` whose area is within the limits. A side below half of `factor` becomes 0 first, and
 * then the branch for small images runs, which may make the other side shorter.
 */
export function resize2d(height: number, width: number, factor: number, { least, most }: Limits): [number, number] {
  refuseStrips(height, width);
  let h = roundHalfEven(height / factor) * factor;
  let w = roundHalfEven(width / factor) * factor;
  if (h * w > most) {
    const beta = Math.sqrt((height * width) / most);
    h = Math.max(factor, Math.floor(height / beta / factor) * factor);
    w = Math.max(factor, Math.floor(width / beta / factor) * factor);
  } else if (h * w < least) {
    const beta = Math.sqrt(least / (height * width));
    h = Math.ceil((height * beta) / factor) * factor;
    w = Math.ceil((width * beta) / factor) * factor;
  }
  return [h, w];
}

/** The same with limits on frames x height x width, and small images brought up to `factor` beforehand. */
export function resize3d(
  frames: number,
  height: number,
  width: number,
  temporal: number,
  factor: number,
  { least, most }: Limits,
): [number, number] {
  if (frames < temporal) refuse(`${frames} frame${frames === 1 ? "" : "s"}, the processor takes at least ${temporal}`);
  if (height < factor || width < factor) {
    const scale = Math.max(factor / height, factor / width);
    height = Math.trunc(height * scale);
    width = Math.trunc(width * scale);
  }
  refuseStrips(height, width);
  let h = roundHalfEven(height / factor) * factor;
  let w = roundHalfEven(width / factor) * factor;
  const t = roundHalfEven(frames / temporal) * temporal;
  if (t * h * w > most) {
    // With the frames as they are here, rounded only in the comparison.
    const beta = Math.sqrt((frames * height * width) / most);
    h = Math.max(factor, Math.floor(height / beta / factor) * factor);
    w = Math.max(factor, Math.floor(width / beta / factor) * factor);
  } else if (t * h * w < least) {
    const beta = Math.sqrt(least / (frames * height * width));
    h = Math.ceil((height * beta) / factor) * factor;
    w = Math.ceil((width * beta) / factor) * factor;
  }
  return [h, w];
}
