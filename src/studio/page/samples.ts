// The samples as the page's worker has them: what is known of each load, a part of them, and how they spread.
import type { LoadColumn } from "../../index.ts";
import type { Density, Frame, LoadAbout, SourceFile } from "./messages.ts";

export type Columns = Readonly<Record<string, LoadColumn>>;

export interface Samples {
  readonly count: number;
  readonly columns: Columns;
  readonly files: readonly SourceFile[];
}

export function aboutLoads({ columns, count }: Samples): LoadAbout[] {
  return Object.entries(columns).map(([name, values]) => {
    let most = 0;
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      sum += values[i];
      if (values[i] > most) most = values[i];
    }
    return { name, most, mean: count === 0 ? 0 : sum / count };
  });
}

/** `count` samples evenly from among all. */
export function partOf({ columns, count: all }: Samples, count: number): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, values]) => {
      const part = values instanceof Int32Array ? new Int32Array(count) : new Float64Array(count);
      for (let k = 0; k < count; k++) part[k] = values[Math.floor((k * all) / count)];
      return [name, part];
    }),
  );
}

/** Files that have a colour of their own. */
export const SOURCES = 6;

/** Counts samples by cell. O(samples). */
export function density(samples: Samples, id: number, frame: Frame): Density {
  const { low, high, cells } = frame;
  const [nx, ny] = cells;
  const xs = samples.columns[frame.x];
  const ys = samples.columns[frame.y];
  const scaleX = nx / (high[0] - low[0]);
  const scaleY = ny / (high[1] - low[1]);
  const counts: Uint32Array[] = [];
  let i = 0;
  for (const [k, file] of samples.files.entries()) {
    const slot = Math.min(k, SOURCES - 1);
    counts[slot] ??= new Uint32Array(nx * ny);
    const own = counts[slot];
    for (const end = i + file.samples; i < end; i++) {
      const cx = Math.floor((xs[i] - low[0]) * scaleX);
      const cy = Math.floor((ys[i] - low[1]) * scaleY);
      if (cx >= 0 && cx < nx && cy >= 0 && cy < ny) own[cy * nx + cx]++;
    }
  }
  return { kind: "density", id, frame, counts };
}
