// The axes of the density: which range of each load, in which cells.
import type { ByLoad } from "../view.ts";
import type { Frame, LoadAbout } from "./messages.ts";

/** Loads of at most so many different values get a cell for each. */
const DISCRETE = 40;
/** Cells along an axis otherwise, at most. */
const CELLS = 120;
/** Room beyond the largest sample and the bound, to drag the bound into. */
const ROOM = 1.25;

interface Axis {
  readonly low: number;
  readonly high: number;
  readonly cells: number;
}

export function axisFor(most: number, bound = 0): Axis {
  const top = Math.max(most, bound, 1) * ROOM;
  if (top <= DISCRETE) {
    const cells = Math.ceil(top) + 1;
    return { low: -0.5, high: cells - 0.5, cells };
  }
  // Cells of a whole width: others would hold now one value more, now one less.
  const width = Math.ceil(top / CELLS);
  const cells = Math.ceil(top / width);
  return { low: 0, high: cells * width, cells };
}

/** The frame over two loads, wide enough for all samples and for the bounds. */
export function frameFor(loads: readonly LoadAbout[], x: string, y: string, max: ByLoad): Frame {
  const [across, up] = [x, y].map((name) => axisFor(loads.find((load) => load.name === name)?.most ?? 0, max[name]));
  return {
    x,
    y,
    low: [across.low, up.low],
    high: [across.high, up.high],
    cells: [across.cells, up.cells],
  };
}

export function sameFrame(a: Frame | undefined, b: Frame): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** How far a key moves a bound: a cell, as far as the axis has such. */
export function stepOf(frame: Frame, k: 0 | 1): number {
  return Math.max(1, Math.round((frame.high[k] - frame.low[k]) / frame.cells[k]));
}
