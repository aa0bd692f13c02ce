// One group: what is in it, and why it is not fuller.
import type { View } from "../view.ts";
import { percent, whole } from "./format.ts";
import type { Glass } from "./messages.ts";
import { NumberField } from "./number-field.tsx";
import { Scroll } from "./scroll.tsx";

/** Why no sample was added: one or two sentences. */
export function whyNotFuller({ sums, max, least, fitting }: Glass): string {
  const rooms = Object.entries(max).map(([load, bound]) => ({ load, room: bound - sums[load] }));
  const free = rooms.filter(({ room }) => room > 0).map(({ load, room }) => `${whole(room)} ${load}`);
  if (free.length === 0) return "It is full: nothing is left of any bound.";
  const left = `There is room for ${free.join(" and ")}`;
  const tight = rooms.find(({ load, room }) => least[load] > room);
  if (tight !== undefined) {
    const { load, room } = tight;
    if (!Number.isFinite(least[load])) return `${left}, but there is no other sample.`;
    const rest = room === 0 ? `no ${load} is left` : `only ${whole(room)} ${load} are left`;
    return `${left}, but ${rest}, and every other sample has at least ${whole(least[load])}.`;
  }
  if (fitting === 0) return `${left}, but every other sample has too much of one load or another.`;
  return fitting === 1
    ? `${left}. One other sample would fit, but would leave room in the group that it is in.`
    : `${left}. ${whole(fitting)} other samples would fit, but each would leave room in the group that it is in.`;
}

interface GroupPanelProps {
  readonly glass: Glass | undefined;
  readonly view: View;
  onChange(changed: Partial<View>): void;
}

export function GroupPanel({ glass, view, onChange }: GroupPanelProps) {
  if (glass === undefined) return <p class="about">There is no group to look at.</p>;
  const { group, groups, samples, count, sums, max } = glass;
  const names = Object.keys(samples[0]?.loads ?? {});
  return (
    <>
      <div class="row">
        <button type="button" disabled={group === 0} onClick={() => onChange({ group: group - 1 })}>
          Previous
        </button>
        <NumberField
          label="group"
          low={0}
          high={groups - 1}
          value={group}
          onChange={(next) => onChange({ group: next })}
        />
        <span>of {whole(groups)}</span>
        <button type="button" disabled={group >= groups - 1} onClick={() => onChange({ group: group + 1 })}>
          Next
        </button>
        {view.method === "isf" && <span class="about">The last groups of ISF are the least full.</span>}
      </div>
      <dl class="gauges">
        {Object.entries(max).map(([load, bound]) => (
          <div key={load}>
            <dt>{load}</dt>
            <dd>
              <meter min={0} max={bound} value={sums[load]} aria-label={`${load} in this group`} />{" "}
              <b data-figure={`group ${load}`}>{whole(sums[load])}</b> of {whole(bound)}, {percent(sums[load] / bound)}
            </dd>
          </div>
        ))}
      </dl>
      <p>{whyNotFuller(glass)}</p>
      <Scroll label="Samples of the group">
        <table class="rows">
          <caption>
            {whole(count)} {count === 1 ? "sample" : "samples"}
            {count > samples.length ? `, the first ${samples.length} are shown` : ""}
          </caption>
          <thead>
            <tr>
              <th scope="col">sample</th>
              <th scope="col" class="text">
                file
              </th>
              <th scope="col">index in it</th>
              {names.map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {samples.map((row) => (
              <tr key={row.index}>
                <th scope="row">{row.index}</th>
                <td class="text">{row.file}</td>
                <td>{row.at}</td>
                {names.map((name) => (
                  <td key={name}>{whole(row.loads[name])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
