// Bounds that a search found: those that no others beat in everything, each to be taken as the bounds of the page.
import { useMemo, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { SearchRow } from "../../index.ts";
import { type View, WHOLE } from "../view.ts";
import { axis, Chart, colour } from "./chart.tsx";
import { percent, whole } from "./format.ts";
import type { Searched } from "./messages.ts";
import { NumberField } from "./number-field.tsx";
import { Scroll } from "./scroll.tsx";

interface SearchPanelProps {
  readonly searched: Searched | undefined;
  readonly view: View;
  readonly busy: { readonly what: string; readonly done: number } | undefined;
  onChange(changed: Partial<View>): void;
  onTake(changed: Partial<View>): void;
  onSearch(): void;
  onStop(): void;
}

const taken = (row: SearchRow): Partial<View> => ({
  max: { vit: row.maxVit, tokens: row.maxTokens },
  min: { vit: row.maxVit, tokens: row.minTokens },
  method: "isf",
  rounds: row.rounds,
  seed: row.seed,
});

export function SearchPanel({ searched, view, busy, onChange, onTake, onSearch, onStop }: SearchPanelProps) {
  return (
    <>
      <p class="about">
        Which bounds fill best, and deal out most evenly? The search tries some two hundred with groups of about so many
        samples. A row of the front is beaten by no other in all of: groups above the lower bound, vit dist, token dist.
      </p>
      <div class="row">
        <NumberField
          label="samples per group"
          {...WHOLE.perGroup}
          value={view.perGroup}
          onChange={(perGroup) => onChange({ perGroup })}
        />
        <NumberField label="ranks" {...WHOLE.ranks} value={view.ranks} onChange={(ranks) => onChange({ ranks })} />
        {busy === undefined ? (
          <button type="button" onClick={onSearch}>
            Search
          </button>
        ) : (
          <>
            <progress max={1} value={busy.done} aria-label="Search" />
            <button type="button" onClick={onStop}>
              Stop
            </button>
          </>
        )}
      </div>
      {searched !== undefined && <Found searched={searched} view={view} onTake={onTake} />}
    </>
  );
}

interface FoundProps {
  readonly searched: Searched;
  readonly view: View;
  onTake(changed: Partial<View>): void;
}

function Found({ searched, view, onTake }: FoundProps) {
  const { winner, pareto, others, why } = searched;
  const rows = pareto.length > 0 ? pareto : others.slice(0, 20);
  return (
    <>
      <p>{why}</p>
      {pareto.length > 0 && <Front searched={searched} onTake={onTake} />}
      <Scroll label="Bounds found">
        <table class="rows">
          <caption>
            {pareto.length > 0
              ? "The front, fewest groups above the lower bound first"
              : "The nearest to what was asked for"}
          </caption>
          <thead>
            <tr>
              <th scope="col">vit</th>
              <th scope="col">tokens</th>
              <th scope="col">groups</th>
              <th scope="col">above bound</th>
              <th scope="col">each</th>
              <th scope="col">vit dist</th>
              <th scope="col">token dist</th>
              <th scope="col">left out</th>
              <th scope="col">
                <span class="hidden">Take</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const isCurrent = [row.maxVit, row.maxTokens, row.minTokens, row.rounds].every(
                (value, k) => value === [view.max.vit, view.max.tokens, view.min.tokens, view.rounds][k],
              );
              return (
                <tr
                  key={`${row.maxVit} ${row.maxTokens} ${row.minTokens} ${row.rounds}`}
                  class={row === winner ? "best" : ""}
                >
                  <td>{whole(row.maxVit)}</td>
                  <td>{whole(row.maxTokens)}</td>
                  <td>{whole(row.groups)}</td>
                  <td>{percent(row.ratio - 1)}</td>
                  <td>{row.samplesPerGroup.toFixed(2)}</td>
                  <td>{row.vitDist.toFixed(4)}</td>
                  <td>{row.tokenDist.toFixed(4)}</td>
                  <td>{whole(row.leftOut)}</td>
                  <td>
                    <button
                      type="button"
                      aria-label={`Use vit ${row.maxVit} and tokens ${row.maxTokens}`}
                      aria-pressed={isCurrent}
                      onClick={() => onTake(taken(row))}
                    >
                      {isCurrent ? "in use" : "Use"}
                    </button>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

/** How far from a point a click still means it, in CSS pixels. */
const NEAR = 12;

function Front({ searched, onTake }: { readonly searched: Searched; onTake(changed: Partial<View>): void }) {
  const { pareto, others, winner } = searched;
  const rows = useMemo(
    () => [...pareto, ...others.filter(({ inWindow }) => inWindow)].sort((a, b) => a.ratio - b.ratio),
    [pareto, others],
  );
  const own = useRef({ rows, onTake, pareto: new Set(pareto) });
  own.current = { rows, onTake, pareto: new Set(pareto) };
  const data = useMemo(
    (): uPlot.AlignedData => [
      rows.map(({ ratio }) => (ratio - 1) * 100),
      rows.map((row) => (own.current.pareto.has(row) ? null : row.tokenDist)),
      rows.map((row) => (own.current.pareto.has(row) ? row.tokenDist : null)),
      rows.map((row) => (row === winner ? row.tokenDist : null)),
    ],
    [rows, winner],
  );
  const click = (plot: uPlot) => {
    plot.over.style.cursor = "pointer";
    plot.over.addEventListener("click", (event) => {
      let nearest: SearchRow | undefined;
      let least = NEAR;
      for (const row of own.current.rows) {
        const x = plot.valToPos((row.ratio - 1) * 100, "x") - event.offsetX;
        const y = plot.valToPos(row.tokenDist, "y") - event.offsetY;
        // A point of the front is meant where another one is beneath it.
        const distance = Math.hypot(x, y) - (own.current.pareto.has(row) ? 3 : 0);
        if (distance >= least) continue;
        least = distance;
        nearest = row;
      }
      if (nearest !== undefined) own.current.onTake(taken(nearest));
    });
  };
  const points = (name: string, size: number): uPlot.Series => ({
    stroke: () => colour(name),
    paths: () => null,
    points: { show: true, size, stroke: () => colour(name), fill: () => colour(name), space: 0 },
  });
  return (
    <figure>
      <figcaption>
        Further left: fuller groups; further down: ranks that wait less. Filled: the front; ringed: the winner. Click a
        point to use its bounds.
      </figcaption>
      <Chart
        name="front"
        label={`${whole(pareto.length)} bounds of the front among ${whole(rows.length)}, by groups above the lower bound and token dist; the table below has them all`}
        height={220}
        data={data}
        onMade={click}
        options={() => ({
          padding: [10, 16, 0, 0],
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: false } },
          axes: [
            axis("groups above the lower bound, %", (value) => String(Number(value.toFixed(3)))),
            axis("token dist, ratio", (value) => String(Number(value.toFixed(4))), { size: 52 }),
          ],
          series: [
            {},
            points("faint", 4),
            points("dense", 7),
            { ...points("bound", 13), points: { ...points("bound", 13).points, fill: "transparent", width: 1.5 } },
          ],
        })}
      />
    </figure>
  );
}
