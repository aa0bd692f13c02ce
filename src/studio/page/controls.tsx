// What makes the groups: bounds by load, the method, the seed; and which loads are shown.
import { type ByLoad, COLOURS, type Colour, type View, WHOLE } from "../view.ts";
import { seriesColour } from "./chart.tsx";
import { byLoad, whole } from "./format.ts";
import type { Opened } from "./messages.ts";
import { NumberField } from "./number-field.tsx";
import { SOURCES } from "./samples.ts";

interface ControlsProps {
  readonly view: View;
  readonly opened: Opened;
  onChange(changed: Partial<View>): void;
}

export function Controls({ view, opened, onChange }: ControlsProps) {
  const { loads, files } = opened;
  const bound = (name: string, value: number | undefined) => {
    const others = Object.entries(view.max).filter(([own]) => own !== name);
    // In the order in which the samples have them.
    const entries = value === undefined ? others : [...others, [name, value] as const];
    const order = loads.map((load) => load.name);
    entries.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    onChange({ max: Object.fromEntries(entries), min: {} });
  };
  const isOnly = Object.keys(view.max).length === 1;
  return (
    <div class="controls">
      <table class="loads">
        <thead>
          <tr>
            <th scope="col">load</th>
            <th scope="col">mean</th>
            <th scope="col">largest</th>
            <th scope="col">most in a group</th>
          </tr>
        </thead>
        <tbody>
          {loads.map(({ name, mean, most }) => {
            const isBounded = view.max[name] !== undefined;
            return (
              <tr key={name}>
                <th scope="row">
                  <label>
                    <input
                      type="checkbox"
                      aria-label={`Bound ${name}`}
                      checked={isBounded}
                      disabled={isBounded && isOnly}
                      onChange={() => bound(name, isBounded ? undefined : (opened.max[name] ?? Math.max(1, most)))}
                    />{" "}
                    {name}
                  </label>
                </th>
                <td>{mean < 100 ? mean.toFixed(2) : whole(mean)}</td>
                <td>{whole(most)}</td>
                <td>
                  {isBounded ? (
                    <NumberField
                      label={`Most ${name} in a group`}
                      isLabelHidden
                      value={view.max[name]}
                      low={1}
                      high={Number.MAX_SAFE_INTEGER}
                      onChange={(value) => bound(name, value)}
                    />
                  ) : (
                    "no bound"
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <div class="row">
        <label class="field" title="isf makes the published groups; balanced makes fewer, in more time">
          <span>method</span>
          <select value={view.method} onChange={(event) => onChange({ method: event.currentTarget.value })}>
            <option>isf</option>
            <option>balanced</option>
          </select>
        </label>
        {view.method === "isf" ? (
          <NumberField
            label="rounds"
            {...WHOLE.rounds}
            value={view.rounds}
            onChange={(rounds) => onChange({ rounds })}
          />
        ) : (
          <NumberField
            label="effort"
            {...WHOLE.effort}
            value={view.effort}
            onChange={(effort) => onChange({ effort })}
          />
        )}
        <NumberField label="seed" {...WHOLE.seed} value={view.seed} onChange={(seed) => onChange({ seed })} />
        {view.method === "isf" && Object.keys(view.min).length > 0 && (
          <button
            type="button"
            title="A group counts as full from there on. Click for the usual."
            onClick={() => onChange({ min: {} })}
          >
            full at {byLoad(view.min)} ×
          </button>
        )}
        {loads.length > 2 &&
          (["x", "y"] as const).map((name) => (
            <label class="field" key={name}>
              <span>{name === "x" ? "across" : "up"}</span>
              <select
                value={view[name]}
                onChange={(event) =>
                  onChange(name === "x" ? { x: event.currentTarget.value } : { y: event.currentTarget.value })
                }
              >
                {loads.map((load) => (
                  <option key={load.name}>{load.name}</option>
                ))}
              </select>
            </label>
          ))}
        {files.length > 1 && (
          <label class="field">
            <span>colour by</span>
            <select value={view.colour} onChange={(event) => onChange({ colour: event.currentTarget.value as Colour })}>
              {COLOURS.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      {view.colour === "source" && files.length > 1 && (
        <ul class="legend">
          {files.slice(0, SOURCES).map(({ path, samples }, k) => (
            <li key={`${k} ${path}`}>
              <Swatch k={k} />{" "}
              {files.length > SOURCES && k === SOURCES - 1 ? "all other files" : `${path}, ${whole(samples)}`}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

export function Swatch({ k }: { readonly k: number }) {
  return <span class="swatch" style={{ background: seriesColour(k) }} />;
}

/** Bounds that the samples would fill better; below everything, so that nothing moves while a bound is dragged. */
export function Advice({
  advised,
  onChange,
}: {
  readonly advised: readonly ByLoad[];
  onChange(changed: Partial<View>): void;
}) {
  if (advised.length === 0) return null;
  return (
    <p class="row advice">
      <span>One of these bounds cannot be filled.</span>
      {advised.map((max) => (
        <button type="button" key={byLoad(max)} onClick={() => onChange({ max, min: {} })}>
          Try {byLoad(max)}
        </button>
      ))}
    </p>
  );
}
