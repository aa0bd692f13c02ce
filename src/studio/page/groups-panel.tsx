// The groups under these bounds: how full, of how many samples, and how they came about.
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { axis, Chart, colour, histogramOptions, seriesColour } from "./chart.tsx";
import { FILL_BINS } from "./figures.ts";
import { percent, short, whole } from "./format.ts";
import type { CurvePoint, Packed } from "./messages.ts";

const HEIGHT = 150;

function bars(counts: ArrayLike<number>): uPlot.AlignedData {
  // One more place than bars: the range ends where the last one does.
  const n = counts.length;
  return [
    Array.from({ length: n + 1 }, (_, k) => k),
    Array.from({ length: n + 1 }, (_, k) => (k < n ? counts[k] : null)),
  ];
}

function FillChart({ packed, load, k }: { readonly packed: Packed; readonly load: string; readonly k: number }) {
  const counts = packed.fill[load];
  const bound = packed.settings.max[load];
  const mean = packed.stats.fill[load];
  // Fewer groups hold the same loads: at the lower bound each is as full as it gets.
  const best = packed.stats.bound > 0 ? (mean * packed.stats.groups) / packed.stats.bound : mean;
  const data = useMemo(() => bars(counts), [counts]);
  return (
    <figure>
      <figcaption>
        <b>{load}</b>: groups are <b>{percent(mean)}</b> full on average; {percent(best)} at the lower bound
      </figcaption>
      <Chart
        name={`fill-${load}`}
        label={`Groups by how full they are of ${load}, of ${whole(bound)}: ${percent(mean)} on average`}
        height={HEIGHT}
        data={data}
        options={() =>
          histogramOptions(`fill of ${load}, % of the bound`, "groups", () => seriesColour(k), FILL_BINS, {
            space: 32,
            values: (_, splits) => splits.map((at) => String((at / FILL_BINS) * 100)),
          })
        }
      />
    </figure>
  );
}

function PerGroupChart({ packed }: { readonly packed: Packed }) {
  const data = useMemo(() => bars(packed.perGroup), [packed.perGroup]);
  const bins = packed.perGroup.length;
  const each = Math.max(1, Math.ceil(bins / 10));
  return (
    <figure>
      <figcaption>
        <b>Samples per group</b>: {packed.stats.samplesPerGroup.toFixed(2)} on average, at most {bins}
        {bins === 64 ? " or more" : ""}
      </figcaption>
      <Chart
        name="samples-per-group"
        kind={String(bins)}
        label={`Groups by their number of samples: ${packed.stats.samplesPerGroup.toFixed(2)} on average`}
        height={HEIGHT}
        data={data}
        options={() =>
          histogramOptions("samples in a group", "groups", () => colour("dense"), bins, {
            // A bar's number is beneath its middle.
            splits: () => Array.from({ length: Math.ceil(bins / each) }, (_, k) => k * each + 0.5),
            values: (_, splits) => splits.map((at) => String(at + 0.5)),
          })
        }
      />
    </figure>
  );
}

function CurveChart({ packed }: { readonly packed: Packed }) {
  const { curve, stats, settings } = packed;
  const isRounds = settings.method === "isf";
  const data = useMemo(
    (): uPlot.AlignedData => [
      curve.map(({ at }) => at),
      curve.map(({ groups }) => groups),
      curve.map(() => stats.bound),
    ],
    [curve, stats.bound],
  );
  const last = curve[curve.length - 1] as CurvePoint | undefined;
  return (
    <figure>
      <figcaption>
        <b>How it got there</b>:{" "}
        {isRounds
          ? `after each round, groups that are not full are taken apart and dealt again${last?.loose === undefined ? "" : `; ${whole(last.loose)} samples are in such at the end`}`
          : "the groups of the best packing so far, over the share of the work"}
      </figcaption>
      <Chart
        name="curve"
        kind={settings.method}
        label={`Groups ${isRounds ? "after each round" : "as the work goes on"}, down to ${whole(stats.groups)}; the lower bound is ${whole(stats.bound)}`}
        height={HEIGHT}
        data={data}
        options={() => ({
          padding: [8, 12, 0, 0],
          legend: { show: false },
          cursor: { show: false },
          scales: {
            x: { time: false },
            y: { range: (_, low, high) => [low - (high - low) * 0.1 - 1, high + (high - low) * 0.1 + 1] },
          },
          axes: [axis(isRounds ? "round" : "work, %", short), axis("groups", whole, { size: 56 })],
          series: [
            {},
            { stroke: () => colour("dense"), width: 1.5, points: { show: (_u, _k, first, end) => end - first < 3 } },
            { stroke: () => colour("bound"), width: 1, dash: [4, 3], points: { show: false } },
          ],
        })}
      />
    </figure>
  );
}

export function GroupsPanel({ packed }: { readonly packed: Packed }) {
  return (
    <>
      <p class="about">
        A group is what a device works on at once. Its samples are laid end to end, so what its bounds leave empty is
        wasted. No packing has fewer groups than the lower bound.
      </p>
      <div class="figures">
        {Object.keys(packed.fill).map((load, k) => (
          <FillChart key={load} packed={packed} load={load} k={k} />
        ))}
        <PerGroupChart packed={packed} />
        {packed.curve.length > 0 && <CurveChart packed={packed} />}
      </div>
    </>
  );
}
