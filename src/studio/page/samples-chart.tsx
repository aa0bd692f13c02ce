// The samples: two loads against each other as a density, histograms of both beside it, bounds across it.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { ByLoad, Colour } from "../view.ts";
import { BoundHandle, type Geometry } from "./bound-handle.tsx";
import { axis, Chart, charts, colour, seriesColour } from "./chart.tsx";
import { short, whole } from "./format.ts";
import type { Density, Frame, LoadAbout } from "./messages.ts";

const TOP = 46;
const RIGHT = 58;

/** 0 .. 255 each, of a CSS colour in hexadecimal digits. */
function rgb(name: string): readonly [number, number, number] {
  const value = Number.parseInt(name.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** The density as an image of a pixel per cell: the more samples, the further from the ground's colour; log scale. */
function paint(density: Density, by: Colour): HTMLCanvasElement {
  const { frame, counts } = density;
  const [nx, ny] = frame.cells;
  const canvas = document.createElement("canvas");
  canvas.width = nx;
  canvas.height = ny;
  const context = canvas.getContext("2d");
  if (context === null) return canvas;
  const image = context.createImageData(nx, ny);
  const colours = by === "source" ? counts.map((_, k) => rgb(seriesColour(k))) : counts.map(() => rgb(colour("dense")));
  let most = 1;
  for (let cell = 0; cell < nx * ny; cell++) most = Math.max(most, total(counts, cell));
  const scale = Math.log1p(most);
  for (let cell = 0; cell < nx * ny; cell++) {
    const all = total(counts, cell);
    if (all === 0) continue;
    const x = cell % nx;
    const at = ((ny - 1 - (cell - x) / nx) * nx + x) * 4;
    for (const [k, own] of counts.entries()) {
      for (let c = 0; c < 3; c++) image.data[at + c] += (colours[k][c] * own[cell]) / all;
    }
    image.data[at + 3] = 100 + 155 * (Math.log1p(all) / scale);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function total(counts: readonly Uint32Array[], cell: number): number {
  let sum = 0;
  for (const own of counts) sum += own[cell];
  return sum;
}

/** Samples by cell along one axis, of each source. */
function marginal({ frame, counts }: Density, k: 0 | 1): Float64Array[] {
  const [nx, ny] = frame.cells;
  return counts.map((own) => {
    const out = new Float64Array(frame.cells[k]);
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) out[k === 0 ? x : y] += own[y * nx + x];
    return out;
  });
}

interface Drawn {
  readonly frame: Frame;
  readonly density: Density | undefined;
  readonly max: ByLoad;
  readonly by: Colour;
}

/** Everything on the canvas but the axes. */
class Painter {
  drawn: Drawn;
  #image: { readonly density: Density; readonly key: string; readonly canvas: HTMLCanvasElement } | undefined;
  #sides: { readonly density: Density; readonly sides: readonly Float64Array[][] } | undefined;

  constructor(drawn: Drawn) {
    this.drawn = drawn;
  }

  draw(u: uPlot): void {
    const { density, by, frame, max } = this.drawn;
    const { left, top, width, height } = u.bbox;
    const { ctx } = u;
    ctx.save();
    if (density !== undefined) {
      const key = `${by} ${colour("dense")}`;
      if (this.#image?.density !== density || this.#image.key !== key) {
        this.#image = { density, key, canvas: paint(density, by) };
      }
      const own = density.frame;
      const x0 = u.valToPos(own.low[0], "x", true);
      const x1 = u.valToPos(own.high[0], "x", true);
      const y0 = u.valToPos(own.low[1], "y", true);
      const y1 = u.valToPos(own.high[1], "y", true);
      ctx.beginPath();
      ctx.rect(left, top, width, height);
      ctx.save();
      ctx.clip();
      ctx.imageSmoothingEnabled = false;
      ctx.drawImage(this.#image.canvas, x0, y1, x1 - x0, y0 - y1);
      ctx.restore();
      if (density.frame.x === frame.x && density.frame.y === frame.y) this.#drawSides(u, density, by);
    }
    ctx.fillStyle = colour("oversize");
    const x = Math.min(left + width, max[frame.x] === undefined ? left + width : u.valToPos(max[frame.x], "x", true));
    const y = Math.max(top, max[frame.y] === undefined ? top : u.valToPos(max[frame.y], "y", true));
    if (x < left + width) ctx.fillRect(x, top, left + width - x, height);
    if (y > top) ctx.fillRect(left, top, Math.max(0, x - left), y - top);
    ctx.strokeStyle = colour("bound");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.beginPath();
    if (max[frame.x] !== undefined) {
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
    }
    if (max[frame.y] !== undefined) {
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
    }
    ctx.stroke();
    ctx.restore();
  }

  #drawSides(u: uPlot, density: Density, by: Colour): void {
    if (this.#sides?.density !== density)
      this.#sides = { density, sides: [marginal(density, 0), marginal(density, 1)] };
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const ratio = devicePixelRatio;
    const room = [(TOP - 10) * ratio, (RIGHT - 14) * ratio] as const;
    const { low, high, cells } = density.frame;
    for (const k of [0, 1] as const) {
      const sources = this.#sides.sides[k];
      const sums = Array.from({ length: cells[k] }, (_, cell) => sources.reduce((sum, own) => sum + own[cell], 0));
      const most = Math.max(1, ...sums);
      const each = (high[k] - low[k]) / cells[k];
      for (let cell = 0; cell < cells[k]; cell++) {
        const from = u.valToPos(low[k] + cell * each, k === 0 ? "x" : "y", true);
        const to = u.valToPos(low[k] + (cell + 1) * each, k === 0 ? "x" : "y", true);
        let at = 0;
        for (const [source, own] of sources.entries()) {
          const length = (own[cell] / most) * room[k];
          if (length <= 0) continue;
          ctx.fillStyle = by === "source" ? seriesColour(source) : colour("dense");
          const gap = Math.abs(to - from) > 4 * ratio ? ratio : 0;
          if (k === 0) ctx.fillRect(from, top - 3 * ratio - at - length, to - from - gap, length);
          else ctx.fillRect(left + width + 4 * ratio + at, to, length, from - to - gap);
          at += length;
        }
      }
    }
    ctx.strokeStyle = colour("line");
    ctx.lineWidth = ratio;
    ctx.strokeRect(left, top, width, height);
  }
}

interface SamplesChartProps {
  readonly frame: Frame;
  readonly density: Density | undefined;
  readonly loads: readonly LoadAbout[];
  readonly max: ByLoad;
  readonly by: Colour;
  readonly samples: number;
  readonly height: number;
  onMove(load: string, bound: number): void;
  onEnd(): void;
}

export function SamplesChart(props: SamplesChartProps) {
  const { frame, density, loads, max, by, samples, height, onMove, onEnd } = props;
  const [geometry, setGeometry] = useState<Geometry>({ left: 0, top: 0, width: 0, height: 0 });
  const painter = useRef<Painter | undefined>(undefined);
  painter.current ??= new Painter({ frame, density, max, by });
  painter.current.drawn = { frame, density, max, by };
  const options = useCallback((): Omit<uPlot.Options, "width" | "height"> => {
    const own = painter.current as Painter;
    const measure = (u: uPlot) => {
      const ratio = devicePixelRatio;
      const { left, top, width, height } = u.bbox;
      const found = { left: left / ratio, top: top / ratio, width: width / ratio, height: height / ratio };
      setGeometry((before) => (JSON.stringify(before) === JSON.stringify(found) ? before : found));
    };
    const range = (k: 0 | 1) => (): uPlot.Range.MinMax => [own.drawn.frame.low[k], own.drawn.frame.high[k]];
    return {
      padding: [TOP, RIGHT, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: range(0) }, y: { range: range(1) } },
      axes: [axis(frame.x, short, { space: 60 }), axis(frame.y, short, { size: 46, space: 30 })],
      series: [{}, { show: false }],
      hooks: { draw: [(u) => own.draw(u), measure] },
    };
  }, [frame.x, frame.y]);
  // Bounds, colours and cells are no data of the plot's: it is drawn again for them.
  useEffect(() => {
    charts.get("samples")?.setData([
      [frame.low[0], frame.high[0]],
      [null, null],
    ] as uPlot.AlignedData);
  }, [frame, density, max, by]);
  const about = (name: string) => loads.find((load) => load.name === name);
  const handles = [frame.x, ...(frame.y === frame.x ? [] : [frame.y])];
  return (
    <div class="samples-chart">
      <Chart
        name="samples"
        kind={`${frame.x} ${frame.y}`}
        label={`${whole(samples)} samples by ${frame.x} and ${frame.y}; the samples beyond a bound are shaded`}
        height={height}
        options={options}
        data={EMPTY}
      />
      {geometry.width > 0 &&
        handles
          .filter((name) => max[name] !== undefined)
          .map((name) => (
            <BoundHandle
              key={name}
              load={name}
              bound={max[name]}
              most={about(name)?.most ?? 1}
              across={name === frame.x}
              frame={frame}
              geometry={geometry}
              onMove={(bound) => onMove(name, bound)}
              onEnd={onEnd}
            />
          ))}
    </div>
  );
}

const EMPTY: uPlot.AlignedData = [
  [0, 1],
  [null, null],
];
