// The page as a whole: what is known, what is wanted, and where it is shown.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Comparison } from "../../compare/index.ts";
import { type ByLoad, fromHash, TABS, type Tab, toHash, type View } from "../view.ts";
import { Client, type Wanted } from "./client.ts";
import { Advice, Controls } from "./controls.tsx";
import { whole } from "./format.ts";
import { frameFor, sameFrame } from "./frame.ts";
import { GroupPanel } from "./group-panel.tsx";
import { GroupsPanel } from "./groups-panel.tsx";
import { KeyFigures } from "./key-figures.tsx";
import type { Answer, Density, Frame, Glass, Opened, Packed, Searched, SourceFile, Steps } from "./messages.ts";
import type { Columns } from "./samples.ts";
import { SamplesChart } from "./samples-chart.tsx";
import { SearchPanel } from "./search-panel.tsx";
import { StepsPanel } from "./steps-panel.tsx";
import { TakePanel } from "./take-panel.tsx";
import { Welcome } from "./welcome.tsx";

const TAB_NAMES: Readonly<Record<Tab, string>> = {
  groups: "Groups",
  steps: "Steps",
  search: "Search",
  group: "One group",
  take: "Take away",
};

export interface AppProps {
  readonly module: ArrayBuffer;
  readonly report:
    | { readonly columns: Columns; readonly files: readonly SourceFile[]; readonly view: string }
    | undefined;
}

interface Busy {
  readonly what: string;
  readonly done: number;
}

/** A view that these samples can have: bounds on loads that they have, and axes. */
function fitting(view: View, opened: Opened): View {
  const names = opened.loads.map(({ name }) => name);
  const asked = Object.entries(view.max).filter(([name]) => names.includes(name));
  const max = asked.length > 0 ? Object.fromEntries(asked) : opened.max;
  const cost = Object.keys(view.cost).length > 0 ? view.cost : opened.cost;
  const x = names.includes(view.x) ? view.x : (names[1] ?? names[0] ?? "");
  const y = names.includes(view.y) ? view.y : (names[0] ?? "");
  const min = Object.fromEntries(Object.entries(view.min).filter(([name]) => max[name] !== undefined));
  return { ...view, max, min, cost, x, y };
}

function wantedOf(view: View): Wanted {
  const { max, min, method, effort, rounds, seed, ranks, microBatch, aim, cost, step } = view;
  return {
    pack: { max, min, method, effort, rounds, seed },
    ...(view.tab === "steps" ? { steps: { ranks, microBatch, seed, aim, cost, step } } : {}),
    ...(view.tab === "group" ? { group: view.group } : {}),
  };
}

export function App({ module, report }: AppProps) {
  const start = useMemo(() => fromHash(location.hash || (report?.view ?? "")), [report]);
  const [view, setView] = useState<View>(start.view);
  const [opened, setOpened] = useState<Opened>();
  const [frame, setFrame] = useState<Frame>();
  const [density, setDensity] = useState<Density>();
  const [packed, setPacked] = useState<Packed>();
  const [steps, setSteps] = useState<Steps>();
  const [noSteps, setNoSteps] = useState("");
  const [advised, setAdvised] = useState<readonly ByLoad[]>([]);
  const [glass, setGlass] = useState<Glass>();
  const [searched, setSearched] = useState<Searched>();
  const [compared, setCompared] = useState<Comparison>();
  const [isComputing, setComputing] = useState(false);
  const [busy, setBusy] = useState<Busy>();
  const [long, setLong] = useState<Busy>();
  const [problem, setProblem] = useState(
    start.strange.length > 0 ? `The address has ${start.strange.join(", ")}, which means nothing here.` : "",
  );
  const viewNow = useRef(view);
  viewNow.current = view;

  const hear = useRef<(answer: Answer) => void>(() => {});
  const client = useMemo(() => new Client(module, (answer) => hear.current(answer)), [module]);
  hear.current = (answer) => {
    if (answer.kind === "opened") {
      const fit = fitting(viewNow.current, answer);
      setOpened(answer);
      setView(fit);
      setBusy(undefined);
      setFrame(frameFor(answer.loads, fit.x, fit.y, fit.max));
    } else if (answer.kind === "density") setDensity(answer);
    else if (answer.kind === "packed") {
      setPacked(answer);
      setProblem("");
      if (answer.part === undefined) setBusy(undefined);
    } else if (answer.kind === "advice") setAdvised(answer.advised);
    else if (answer.kind === "steps") {
      setSteps(answer);
      setNoSteps("");
    } else if (answer.kind === "no-steps") {
      setSteps(undefined);
      setNoSteps(answer.message);
    } else if (answer.kind === "glass") setGlass(answer);
    else if (answer.kind === "searched") setSearched(answer);
    else if (answer.kind === "compared") setCompared(answer.comparison);
    else if (answer.kind === "progress") {
      const own = { what: answer.what, done: answer.done };
      if (answer.what === "searching") setLong(own);
      else setBusy(own);
    } else if (answer.kind === "failed") {
      setProblem(answer.message);
      setBusy(undefined);
      setLong(undefined);
    } else if (answer.kind === "end" && !client.isLong) setLong(undefined);
    setComputing(client.isComputing);
  };

  const open = useCallback(
    (files: readonly File[]) => {
      if (files.length === 0) return;
      setProblem("");
      setOpened(undefined);
      setPacked(undefined);
      setDensity(undefined);
      setSteps(undefined);
      setAdvised([]);
      setGlass(undefined);
      setSearched(undefined);
      setCompared(undefined);
      setLong(undefined);
      setBusy({ what: "reading", done: 0 });
      client.open({ files, loads: [] });
    },
    [client],
  );

  useEffect(() => {
    if (report !== undefined) client.open({ columns: report.columns, files: report.files });
  }, [client, report]);

  useLayoutEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      open([...(event.dataTransfer?.files ?? [])]);
    };
    document.addEventListener("dragover", over);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("drop", drop);
    };
  }, [open]);

  // What is shown is asked for, and its address is that of the page.
  useEffect(() => {
    if (opened === undefined || opened.samples === 0) return;
    client.compute(wantedOf(view));
    setComputing(true);
  }, [client, opened, view]);
  useEffect(() => {
    if (opened === undefined) return;
    const timer = setTimeout(() => history.replaceState(null, "", `#${toHash(view)}`), 150);
    return () => clearTimeout(timer);
  }, [opened, view]);
  useEffect(() => {
    const listen = () => {
      const { view: asked } = fromHash(location.hash);
      if (toHash(asked) === toHash(viewNow.current)) return;
      setView(opened === undefined ? asked : fitting(asked, opened));
      if (opened !== undefined) reframe(fitting(asked, opened));
    };
    addEventListener("hashchange", listen);
    return () => removeEventListener("hashchange", listen);
  });
  useEffect(() => {
    if (frame !== undefined) client.density(frame);
  }, [client, frame]);

  const change = useCallback((changed: Partial<View>) => setView((before) => ({ ...before, ...changed })), []);
  const reframe = (next: View) => {
    if (opened === undefined) return;
    const wanted = frameFor(opened.loads, next.x, next.y, next.max);
    setFrame((before) => (sameFrame(before, wanted) ? before : wanted));
  };
  /** A change that moves no line under the pointer: the axes may follow. */
  const settle = (changed: Partial<View>) => {
    change(changed);
    reframe({ ...viewNow.current, ...changed });
  };
  const move = (load: string, bound: number) => {
    setView((before) =>
      before.max[load] === bound ? before : { ...before, max: { ...before.max, [load]: bound }, min: {} },
    );
  };

  const rows = opened?.loads.length ?? 2;
  const hasChoices = rows > 2 || (opened?.files.length ?? 0) > 1;
  const height = useHeight(212 + 24 * rows + (hasChoices ? 32 : 0) + (view.colour === "source" ? 24 : 0));
  const status = statusText(busy, packed, opened);
  return (
    <>
      <header>
        <h1>
          omnibal <span>studio</span>
        </h1>
        <p class="source">
          {opened !== undefined && (
            <>
              <span>{sourceText(opened)}</span> <span>{whole(opened.samples)} samples</span>
            </>
          )}
        </p>
        <p role="status" class="status">
          {status}
        </p>
        <label class="button">
          Open files…
          <input
            type="file"
            multiple
            class="hidden"
            onChange={(event) => {
              open([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = "";
            }}
          />
        </label>
      </header>
      {problem !== "" && (
        <p role="alert" class="problem">
          {problem}
        </p>
      )}
      {opened === undefined && <Welcome isReading={busy !== undefined} hasView={Object.keys(view.max).length > 0} />}
      {opened !== undefined && opened.samples === 0 && <p class="problem">There are no samples in these files.</p>}
      {opened !== undefined && opened.samples > 0 && frame !== undefined && (
        <main aria-busy={isComputing || packed === undefined}>
          <KeyFigures packed={packed} samples={opened.samples} />
          <section class="samples" aria-label="Samples">
            <Controls view={view} opened={opened} onChange={settle} />
            <SamplesChart
              frame={frame}
              density={density}
              loads={opened.loads}
              max={view.max}
              by={view.colour}
              samples={opened.samples}
              height={height}
              onMove={move}
              onEnd={() => reframe(viewNow.current)}
            />
            <Advice advised={advised} onChange={settle} />
          </section>
          <section class="panel">
            <Tabs tab={view.tab} onChange={(tab) => change({ tab })} />
            <div class="panel-body" role="tabpanel" id="panel" aria-labelledby={`tab-${view.tab}`}>
              {view.tab === "groups" && packed !== undefined && <GroupsPanel packed={packed} />}
              {view.tab === "steps" && (
                <StepsPanel
                  steps={steps}
                  problem={noSteps}
                  view={view}
                  compared={compared}
                  isComparing={client.isLong}
                  loads={opened.loads}
                  onChange={change}
                  onCompare={() => {
                    setCompared(undefined);
                    setLong({ what: "comparing", done: 0 });
                    const { ranks, seed, max, cost } = view;
                    client.begin({ kind: "compare", ranks, seed, max, cost });
                  }}
                />
              )}
              {view.tab === "search" && (
                <SearchPanel
                  searched={searched}
                  view={view}
                  busy={long}
                  onChange={change}
                  onTake={settle}
                  onSearch={() => {
                    setSearched(undefined);
                    setLong({ what: "searching", done: 0 });
                    const { ranks, perGroup, seed, rounds } = view;
                    client.begin({ kind: "search", ranks, perGroup, seed, rounds });
                  }}
                  onStop={() => {
                    client.stop();
                    setLong(undefined);
                  }}
                />
              )}
              {view.tab === "group" && <GroupPanel glass={glass} view={view} onChange={change} />}
              {view.tab === "take" && <TakePanel view={view} opened={opened} client={client} onProblem={setProblem} />}
            </div>
          </section>
        </main>
      )}
    </>
  );
}

function sourceText({ files }: Opened): string {
  return files.length === 1 ? files[0].path : `${whole(files.length)} files`;
}

function statusText(busy: Busy | undefined, packed: Packed | undefined, opened: Opened | undefined): string {
  if (busy !== undefined) {
    const part = packed?.part;
    const first =
      part === undefined || opened === undefined ? "" : `${whole(part)} of ${whole(opened.samples)} packed; `;
    return `${first}${busy.what}… ${Math.floor(busy.done * 100)} %`;
  }
  if (packed === undefined) return "";
  return `packed in ${packed.ms < 10 ? packed.ms.toFixed(1) : whole(packed.ms)} ms`;
}

/** What the samples are high: what the window leaves, within reason. */
function useHeight(taken: number): number {
  const [all, setAll] = useState(innerHeight);
  useEffect(() => {
    const listen = () => setAll(innerHeight);
    addEventListener("resize", listen);
    return () => removeEventListener("resize", listen);
  }, []);
  return Math.min(640, Math.max(300, all - taken));
}

function Tabs({ tab, onChange }: { readonly tab: Tab; onChange(tab: Tab): void }) {
  const key = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length];
    onChange(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div role="tablist" aria-label="Views" class="tabs" onKeyDown={key}>
      {TABS.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={name === tab}
          aria-controls="panel"
          tabIndex={name === tab ? 0 : -1}
          onClick={() => onChange(name)}
        >
          {TAB_NAMES[name]}
        </button>
      ))}
    </div>
  );
}
