// The same answers by other means: every cut and every choice of layers tried, and a clock that ticks from event to event.
import type { CoreLayer, CoreProblem, CoreSimulation } from "../../src/model/core.ts";

export type Mode = "free" | "none" | "full" | "joint";

/** Time and bytes of a stage with the layers of `again` recomputed, by the definition. */
function weigh(layers: readonly CoreLayer[], inFlight: number, again: (l: number) => boolean): [number, number] {
  let time = 0;
  let bytes = 0;
  let once = 0;
  for (const [l, layer] of layers.entries()) {
    time += layer.forward + layer.backward + (again(l) ? layer.forward : 0);
    bytes += layer.parameters + inFlight * (again(l) ? layer.recomputed : layer.kept);
    if (again(l)) once = Math.max(once, layer.kept - layer.recomputed);
  }
  return [time, bytes + once];
}

export function slowStage(layers: readonly CoreLayer[], inFlight: number, memory: number, mode: Mode): number {
  const [plain, kept] = weigh(layers, inFlight, () => false);
  if (mode === "free") return plain;
  if (mode === "none") return kept <= memory ? plain : Number.POSITIVE_INFINITY;
  if (mode === "full") {
    const [time, bytes] = weigh(layers, inFlight, () => true);
    return bytes <= memory ? time : Number.POSITIVE_INFINITY;
  }
  let best = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 1 << layers.length; set++) {
    const [time, bytes] = weigh(layers, inFlight, (l) => ((set >> l) & 1) === 1);
    if (bytes <= memory) best = Math.min(best, time);
  }
  return best;
}

export function* everyCut(n: number, stages: number, first = 1, last = 1): Generator<number[]> {
  const ends = function* (s: number, from: number): Generator<number[]> {
    if (s === stages - 1) {
      if (n - from >= (s === 0 ? Math.max(first, last) : last)) yield [];
      return;
    }
    for (let c = from + (s === 0 ? first : 1); c < n; c++) for (const rest of ends(s + 1, c)) yield [c, ...rest];
  };
  yield* ends(0, 0);
}

export interface SlowAnswer {
  readonly largest: Readonly<Record<Mode, number>>;
  readonly optima: Readonly<Record<Mode, number>>;
  readonly step: number;
}

export function slowAnswer(problem: CoreProblem): SlowAnswer {
  const { layers, stages, microBatches: m, memory, schedule, firstLeast, lastLeast } = problem;
  const modes = ["free", "none", "full", "joint"] as const;
  const largest = { free: Infinity, none: Infinity, full: Infinity, joint: Infinity };
  const optima = { free: 0, none: 0, full: 0, joint: 0 };
  const seen = new Map<string, number>();
  const timeOf = (s: number, i: number, j: number, mode: Mode): number => {
    const inFlight = schedule === "gpipe" ? m : Math.min(stages - s, m);
    const key = `${inFlight} ${i} ${j} ${mode}`;
    const known = seen.get(key);
    if (known !== undefined) return known;
    const time = slowStage(layers.slice(i, j), inFlight, memory, mode);
    seen.set(key, time);
    return time;
  };
  let step = Number.POSITIVE_INFINITY;
  for (const cuts of everyCut(layers.length, stages, firstLeast, lastLeast)) {
    const starts = [0, ...cuts, layers.length];
    for (const mode of modes) {
      const most = Math.max(
        ...cuts.map((c, s) => timeOf(s, starts[s], c, mode)),
        timeOf(stages - 1, starts[stages - 1], layers.length, mode),
      );
      if (most === Number.POSITIVE_INFINITY) continue;
      if (most < largest[mode]) optima[mode] = 0;
      if (most <= largest[mode]) {
        largest[mode] = most;
        optima[mode]++;
      }
      if (mode !== "joint") continue;
      const rows = (of: (s: number) => number) => starts.slice(1).map((_, s) => new Array<number>(m).fill(of(s)));
      const forwards = (s: number) => layers.slice(starts[s], starts[s + 1]).reduce((sum, l) => sum + l.forward, 0);
      step = Math.min(
        step,
        slowSimulation({
          ...{ schedule, devices: stages, chunks: 1, microBatches: m },
          forward: rows(forwards),
          backward: rows((s) => timeOf(s, starts[s], starts[s + 1], "joint") - forwards(s)),
          transfer: rows((s) => layers[starts[s + 1] - 1].transfer).slice(0, -1),
        }).step,
      );
    }
  }
  return { largest, optima, step };
}

type Operation = readonly ["F" | "B", microBatch: number, chunk: number];

/** The operations of a device in order, written out from the definition of each schedule. */
export function slowOrder(
  kind: CoreSimulation["schedule"],
  devices: number,
  chunks: number,
  m: number,
  device: number,
): Operation[] {
  const forwards: Operation[] = [];
  const backwards: Operation[] = [];
  const group = kind === "interleaved" ? devices : m;
  for (let first = 0; first < m; first += group) {
    const batches = Array.from({ length: Math.min(group, m - first) }, (_, i) => first + i);
    for (let c = 0; c < chunks; c++) for (const b of batches) forwards.push(["F", b, c]);
    for (let c = chunks - 1; c >= 0; c--) for (const b of batches) backwards.push(["B", b, c]);
  }
  if (kind === "gpipe") return [...forwards, ...backwards];
  const ahead = kind === "1f1b" ? devices - device - 1 : 2 * (devices - device - 1) + (chunks - 1) * devices;
  const order = forwards.splice(0, ahead);
  while (forwards.length > 0) order.push(forwards.shift() as Operation, backwards.shift() as Operation);
  return [...order, ...backwards];
}

export interface SlowSimulation {
  readonly schedule: CoreSimulation["schedule"];
  readonly devices: number;
  readonly chunks: number;
  readonly microBatches: number;
  readonly forward: number[][];
  readonly backward: number[][];
  readonly transfer: number[][];
  readonly activation?: number[][];
}

export interface SlowSimulated {
  readonly step: number;
  readonly busy: number[];
  readonly inFlight: number[];
  readonly activation: number[];
  /** `device kind micro-batch chunk start` of every operation, device by device, each in its order. */
  readonly lines: string[];
}

/** A clock: at each event every idle device looks whether the input of its next operation has arrived. */
export function slowSimulation(given: SlowSimulation): SlowSimulated {
  const { schedule, devices, chunks, microBatches, forward, backward, transfer, activation } = given;
  const stages = devices * chunks;
  const todo = Array.from({ length: devices }, (_, d) => slowOrder(schedule, devices, chunks, microBatches, d));
  /** When an input arrives, by kind, virtual stage and micro-batch. */
  const arrives = new Map<string, number>();
  for (let b = 0; b < microBatches; b++) arrives.set(`F 0 ${b}`, 0);
  const busyUntil = new Array<number>(devices).fill(0);
  const busy = new Array<number>(devices).fill(0);
  const held = Array.from({ length: devices }, () => new Map<string, number>());
  const inFlight = new Array<number>(devices).fill(0);
  const most = new Array<number>(devices).fill(0);
  const lines = Array.from({ length: devices }, (): string[] => []);
  let now = 0;
  let step = 0;
  while (todo.some((list) => list.length > 0)) {
    let started = true;
    while (started) {
      started = false;
      for (let d = 0; d < devices; d++) {
        const next = todo[d][0];
        if (next === undefined || busyUntil[d] > now) continue;
        const [kind, b, chunk] = next;
        const q = chunk * devices + d;
        const there = arrives.get(`${kind} ${q} ${b}`);
        if (there === undefined || there > now) continue;
        todo[d].shift();
        started = true;
        const own = kind === "F" ? forward[q][b] : backward[q][b];
        const end = now + own;
        busyUntil[d] = end;
        lines[d].push([d, kind, b, chunk, now].join(" "));
        busy[d] += own;
        step = Math.max(step, end);
        if (kind === "F") {
          held[d].set(`${q} ${b}`, activation?.[q][b] ?? 0);
          inFlight[d] = Math.max(inFlight[d], held[d].size);
          most[d] = Math.max(
            most[d],
            Array.from(held[d].values()).reduce((sum, x) => sum + x, 0),
          );
          if (q === stages - 1) arrives.set(`B ${q} ${b}`, end);
          else arrives.set(`F ${q + 1} ${b}`, end + transfer[q][b]);
        } else {
          held[d].delete(`${q} ${b}`);
          if (q > 0) arrives.set(`B ${q - 1} ${b}`, end + transfer[q - 1][b]);
        }
      }
    }
    const later = [...busyUntil, ...arrives.values()].filter((time) => time > now);
    if (later.length === 0) {
      if (todo.some((list) => list.length > 0)) throw new Error("nothing moves");
      break;
    }
    now = Math.min(...later);
  }
  return { step, busy, inFlight, activation: most, lines: lines.flat() };
}
