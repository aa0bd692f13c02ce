// A chart of uPlot as a component: made once, given new data, as wide as its place, in the colours of the theme.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { whole } from "./format.ts";
import { save } from "./save.ts";

/** Colours by what they are for, as the style sheet has them for the theme. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Colours for loads, sources and series: Okabe and Ito's, which most eyes tell apart. */
export function seriesColour(k: number): string {
  return colour(`series-${k % 6}`);
}

const FONT = "11px system-ui, sans-serif";

/** An axis with a title, which names the unit. */
export function axis(label: string, values: (value: number) => string, more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return {
    label,
    labelSize: 16,
    labelGap: 0,
    labelFont: FONT,
    font: FONT,
    size: 30,
    gap: 3,
    stroke: () => colour("muted"),
    grid: { stroke: () => colour("line"), width: 1 },
    ticks: { stroke: () => colour("line"), width: 1, size: 4 },
    values: (_, splits) => splits.map((split) => (split === null ? "" : values(split))),
    ...more,
  };
}

/** Charts on the page by name, to be saved as images. */
export const charts = new Map<string, uPlot>();

interface ChartProps {
  /** What its image is called. */
  readonly name: string;
  /** What it shows, in words: figures too. */
  readonly label: string;
  readonly height: number;
  readonly options: () => Omit<uPlot.Options, "width" | "height">;
  readonly data: uPlot.AlignedData;
  /** Another value makes the chart anew. */
  readonly kind?: string;
  readonly onMade?: (plot: uPlot) => void;
}

export function Chart({ name, label, height, options, data, kind = "", onMade }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  // It is made anew for another kind only.
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot({ ...options(), width: element.clientWidth || 300, height }, data, element);
    plot.current = made;
    charts.set(name, made);
    onMade?.(made);
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: made.height }));
    watch.observe(element);
    const theme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => made.redraw(false);
    theme.addEventListener("change", redraw);
    return () => {
      watch.disconnect();
      theme.removeEventListener("change", redraw);
      charts.delete(name);
      made.destroy();
      plot.current = undefined;
    };
  }, [kind]);
  useLayoutEffect(() => {
    plot.current?.setData(data);
  }, [data]);
  useEffect(() => {
    const made = plot.current;
    if (made !== undefined && made.height !== height) made.setSize({ width: made.width, height });
  }, [height]);
  return (
    <div class="chart-place">
      <div class="chart" role="img" aria-label={label} ref={place} />
      <button
        type="button"
        class="save-image"
        aria-label={`Save ${name} as an image`}
        onClick={async () => {
          const blob = plot.current === undefined ? null : await image(plot.current);
          if (blob !== null) save(`omnibal-${name}.png`, blob);
        }}
      >
        PNG
      </button>
    </div>
  );
}

/** A chart as a PNG, on the page's ground. */
function image(plot: uPlot): Promise<Blob | null> {
  const { canvas } = plot.ctx;
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext("2d");
  if (context === null) return Promise.resolve(null);
  context.fillStyle = colour("ground");
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  return new Promise((resolve) => copy.toBlob(resolve, "image/png"));
}

const BARS = uPlot.paths.bars?.({ align: 1, size: [1, 100], gap: 1 });

/** A histogram: a bar for each bin, from 0 on. */
export function histogramOptions(
  xLabel: string,
  yLabel: string,
  fill: () => string,
  bins: number,
  xAxis: Partial<uPlot.Axis>,
): Omit<uPlot.Options, "width" | "height"> {
  return {
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: () => [0, bins] },
      y: { range: (_, __, most) => [0, Math.max(most, 1) * 1.05] },
    },
    axes: [axis(xLabel, String, xAxis), axis(yLabel, whole, { size: 46 })],
    series: [
      {},
      { fill, stroke: fill, width: 0, points: { show: false }, ...(BARS === undefined ? {} : { paths: BARS }) },
    ],
  };
}
