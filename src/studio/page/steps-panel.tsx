// The first steps of an epoch, rank by rank: what they work on, and how long they wait for the slowest.
import { useCallback, useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { Comparison } from "../../compare/index.ts";
import type { PlanStats } from "../../index.ts";
import { AIMS, type Aim, type View, WHOLE } from "../view.ts";
import { axis, Chart, charts, colour, seriesColour } from "./chart.tsx";
import { Swatch } from "./controls.tsx";
import { SHOWN_STEPS } from "./figures.ts";
import { percent, short, time, whole } from "./format.ts";
import type { LoadAbout, Steps } from "./messages.ts";
import { NumberField } from "./number-field.tsx";
import { Scroll } from "./scroll.tsx";

/** Ranks that are drawn: the first ones. */
const SHOWN_RANKS = 64;

/** What each step takes: that of its slowest rank. */
function slowest({ parts, settings, costs }: Steps): number[] {
  const { ranks } = settings;
  const out: number[] = [];
  for (let at = 0; at < parts.length; ) {
    let most = 0;
    for (let rank = 0; rank < ranks; rank++) {
      let own = 0;
      for (let k = 0; k < costs.length; k++) own += parts[at++];
      most = Math.max(most, own);
    }
    out.push(most);
  }
  return out;
}

function draw(u: uPlot, steps: Steps): void {
  const { parts, settings, costs } = steps;
  const ranks = Math.min(settings.ranks, SHOWN_RANKS);
  const { ctx } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  let start = 0;
  for (const [step, length] of slowest(steps).entries()) {
    const end = start + length;
    const right = Math.round(u.valToPos(end, "x", true)) - ratio;
    for (let rank = 0; rank < ranks; rank++) {
      const top = u.valToPos(rank, "y", true);
      const bottom = u.valToPos(rank + 1, "y", true);
      const height = Math.max(1, bottom - top - (bottom - top > 4 * ratio ? ratio : 0));
      let now = start;
      for (let k = 0; k < costs.length; k++) {
        const value = parts[(step * settings.ranks + rank) * costs.length + k];
        const from = u.valToPos(now, "x", true);
        now += value;
        ctx.fillStyle = seriesColour(k);
        ctx.fillRect(from, top, Math.min(right, u.valToPos(now, "x", true)) - from, height);
      }
      const from = u.valToPos(now, "x", true);
      if (right > from) {
        ctx.fillStyle = colour("idle");
        ctx.fillRect(from, top, right - from, height);
      }
    }
    start = end;
  }
  ctx.restore();
}

function Timeline({ steps }: { readonly steps: Steps }) {
  const own = useRef(steps);
  own.current = steps;
  const ranks = Math.min(steps.settings.ranks, SHOWN_RANKS);
  const total = slowest(steps).reduce((sum, length) => sum + length, 0);
  const options = useCallback(
    (): Omit<uPlot.Options, "width" | "height"> => ({
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: () => [0, slowest(own.current).reduce((sum, length) => sum + length, 0) || 1] },
        y: { dir: -1, range: () => [0, Math.min(own.current.settings.ranks, SHOWN_RANKS)] },
      },
      axes: [
        axis("predicted time, in units of the cost", short, { space: 70 }),
        axis("rank", (value) => (Number.isInteger(value) && value < ranks ? String(value) : ""), {
          size: 36,
          grid: { show: false },
        }),
      ],
      series: [{}, { show: false }],
      hooks: { draw: [(u) => draw(u, own.current)] },
    }),
    [ranks],
  );
  useEffect(() => {
    charts.get("steps")?.setData([
      [0, total],
      [null, null],
    ] as uPlot.AlignedData);
  }, [steps, total]);
  return (
    <Chart
      name="steps"
      kind={String(ranks)}
      label={`Steps ${steps.from} and on, rank by rank: ${percent(steps.idle)} of all ranks' time of the epoch is spent waiting`}
      height={Math.min(300, 90 + Math.max(ranks * 14, 60))}
      data={NOTHING}
      options={options}
    />
  );
}

const NOTHING: uPlot.AlignedData = [
  [0, 1],
  [null, null],
];

interface StepsPanelProps {
  readonly steps: Steps | undefined;
  /** Why there are none. */
  readonly problem: string;
  readonly view: View;
  readonly loads: readonly LoadAbout[];
  readonly compared: Comparison | undefined;
  readonly isComparing: boolean;
  onChange(changed: Partial<View>): void;
  onCompare(): void;
}

export function StepsPanel({
  steps,
  problem,
  view,
  loads,
  compared,
  isComparing,
  onChange,
  onCompare,
}: StepsPanelProps) {
  const costNames = [
    ...loads.map(({ name }) => name),
    ...(loads.some(({ name }) => name === "tokens") ? ["tokens^2"] : []),
  ];
  const cost = (name: string, value: number) => {
    const next = { ...view.cost, [name]: value };
    // A cost of nothing at all would predict nothing.
    if (Object.values(next).some((each) => each > 0)) onChange({ cost: next });
  };
  return (
    <>
      <p class="about">
        At a step every rank works on its groups, then all wait for the slowest. A plan deals groups out so that ranks
        have nearly the same loads at each step; the steps themselves come in random order.
      </p>
      <div class="row">
        <NumberField label="ranks" {...WHOLE.ranks} value={view.ranks} onChange={(ranks) => onChange({ ranks })} />
        <NumberField
          label="groups per rank"
          {...WHOLE.microBatch}
          value={view.microBatch}
          onChange={(microBatch) => onChange({ microBatch })}
        />
        <label class="field">
          <span>even out</span>
          <select value={view.aim} onChange={(event) => onChange({ aim: event.currentTarget.value as Aim })}>
            {AIMS.map((aim) => (
              <option key={aim} value={aim}>
                {aim === "loads" ? "each load" : "predicted time"}
              </option>
            ))}
          </select>
        </label>
      </div>
      <fieldset class="row">
        <legend>predicted time of one</legend>
        {costNames.map((name) => (
          <NumberField
            key={name}
            label={name}
            low={0}
            high={1e12}
            isReal
            value={view.cost[name] ?? 0}
            onChange={(value) => cost(name, value)}
          />
        ))}
      </fieldset>
      {problem !== "" && <p>There is no plan: {problem}</p>}
      {steps !== undefined && (
        <>
          <div class="row legend">
            {steps.costs.map((name, k) => (
              <span key={name}>
                <Swatch k={k} /> {name}
              </span>
            ))}
            <span>
              <span class="swatch idle" /> idle
            </span>
            <span class="spring" />
            <button
              type="button"
              disabled={steps.from === 0}
              onClick={() => onChange({ step: Math.max(0, steps.from - SHOWN_STEPS) })}
            >
              Earlier
            </button>
            <span>
              steps {whole(steps.from)} to {whole(Math.min(steps.count, steps.from + SHOWN_STEPS) - 1)} of{" "}
              {whole(steps.count)}
            </span>
            <button
              type="button"
              disabled={steps.from + SHOWN_STEPS >= steps.count}
              onClick={() => onChange({ step: steps.from + SHOWN_STEPS })}
            >
              Later
            </button>
          </div>
          <Timeline steps={steps} />
          {steps.settings.ranks > SHOWN_RANKS && <p class="about">The first {SHOWN_RANKS} ranks are drawn.</p>}
          <p>
            Over the epoch, <b data-figure="idle">{percent(steps.idle)}</b> of all ranks' time is spent waiting. It
            takes <b data-figure="epoch time">{time(steps.time)}</b> units of the cost, in <b>{whole(steps.count)}</b>{" "}
            steps.
          </p>
          <DistTable steps={steps} />
        </>
      )}
      <p class="row">
        <button type="button" disabled={isComparing} onClick={onCompare}>
          {isComparing ? "Comparing…" : "Compare with other ways to make batches"}
        </button>
      </p>
      {compared !== undefined && <CompareTable comparison={compared} />}
    </>
  );
}

function DistTable({ steps }: { readonly steps: Steps }) {
  const rows: (readonly [string, PlanStats])[] = [["this plan", steps.plan], ...Object.entries(steps.published)];
  return (
    <Scroll label="Dist ratios">
      <table class="rows">
        <caption>
          Dist ratio: how far ranks are below the heaviest one of their step, on average; 0 is perfect. Below the plan,
          the samplers published for the same groups.
        </caption>
        <thead>
          <tr>
            <th scope="col">order of groups</th>
            <th scope="col">vit dist</th>
            <th scope="col">token dist</th>
            <th scope="col">attention dist</th>
            <th scope="col">padding</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, stats]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td data-figure={`vit dist of ${name}`}>{stats.vitDist.toFixed(4)}</td>
              <td data-figure={`token dist of ${name}`}>{stats.tokenDist.toFixed(4)}</td>
              <td>{stats.attentionDist.toFixed(4)}</td>
              <td>{percent(stats.pad)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function CompareTable({ comparison }: { readonly comparison: Comparison }) {
  const { systems, best, answer } = comparison;
  return (
    <Scroll label="Comparison">
      <table class="rows">
        <caption>
          {answer} Epoch: its predicted time over the ideal, in which no rank waits and nothing is padded.
        </caption>
        <thead>
          <tr>
            <th scope="col">batches</th>
            <th scope="col">epoch</th>
            <th scope="col">idle</th>
            <th scope="col">steps</th>
            <th scope="col">beyond a bound</th>
          </tr>
        </thead>
        <tbody>
          {systems.map((row) => (
            <tr key={row.name} class={row.name === best ? "best" : ""}>
              <th scope="row" title={row.about}>
                {row.title}
                {row.name === best ? " (best)" : ""}
              </th>
              <td>{row.overIdeal.toFixed(4)}</td>
              <td>{percent(row.idle)}</td>
              <td>{whole(row.steps)}</td>
              <td>{row.beyondAny === 0 ? "–" : percent(row.beyondAny)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
