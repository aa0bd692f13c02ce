// The figures that matter, on one line.
import { percent, whole } from "./format.ts";
import type { Packed } from "./messages.ts";

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly about: string;
}

function Figure({ name, value, note, about }: FigureProps) {
  return (
    <div title={about}>
      <dt>{name}</dt>
      <dd>
        <b data-figure={name}>{value}</b> <small>{note}</small>
      </dd>
    </div>
  );
}

export function KeyFigures({ packed, samples }: { readonly packed: Packed | undefined; readonly samples: number }) {
  if (packed === undefined) return <div class="key" />;
  const { stats, part } = packed;
  const above = stats.bound > 0 ? stats.groups / stats.bound - 1 : 0;
  return (
    <dl class={`key${part === undefined ? "" : " part"}`}>
      <Figure
        name="groups"
        value={whole(stats.groups)}
        note={part === undefined ? `of ${whole(stats.samples)} samples` : `of a part of ${whole(part)} samples`}
        about="Groups that the samples were packed into. Each is what a device works on at once."
      />
      <Figure
        name="lower bound"
        value={whole(stats.bound)}
        note={`${percent(above)} above it`}
        about="No packing of these samples within these bounds has fewer groups."
      />
      {Object.entries(stats.fill).map(([load, fill]) => (
        <Figure
          key={load}
          name={`fill of ${load}`}
          value={percent(fill)}
          note={`of ${whole(packed.settings.max[load])}`}
          about={`How much of the bound on ${load} a group uses on average. The rest is wasted.`}
        />
      ))}
      <Figure
        name="samples per group"
        value={stats.samplesPerGroup.toFixed(2)}
        note="on average"
        about="Samples in a group on average."
      />
      <Figure
        name="oversize"
        value={whole(stats.oversize)}
        note={stats.oversize === 0 ? "all samples fit" : `${percent(stats.oversize / (part ?? samples))} in no group`}
        about="Samples that exceed a bound by themselves: no group can hold them, and training would leave them out."
      />
      <Figure
        name="mix"
        value={stats.mix === null ? "–" : stats.mix.toFixed(3)}
        note="1 is a random draw"
        about="The variance of tokens inside groups over that of a random draw. Well below 1, the samples of a group are alike in length."
      />
    </dl>
  );
}
