// The predicted timeline of an epoch in the format of Chrome's tracing, which ui.perfetto.dev opens.
import type { Packing, Plan } from "../../index.ts";
import type { ByLoad } from "../view.ts";
import { pricedLoads, stepTimes } from "./figures.ts";

/** Slices that a viewer still opens at ease. */
const MOST_SLICES = 300_000;

/** Steps of a plan that the trace has: the first ones. */
export function tracedSteps(plan: Plan, costs: number): number {
  return Math.min(plan.length, Math.max(1, Math.floor(MOST_SLICES / (plan.ranks * (costs + 1)))));
}

/** A thread per rank; a slice for each load of its groups at each step, and one of waiting. A unit of cost is shown as 1 ms. */
export function planTrace(packing: Packing, plan: Plan, cost: ByLoad): string {
  const costs = pricedLoads(packing, cost);
  const { ranks } = plan;
  const steps = tracedSteps(plan, costs.length);
  const parts = stepTimes(packing, plan, costs, 0, steps);
  const events: unknown[] = Array.from({ length: ranks }, (_, rank) => ({
    ...{ name: "thread_name", ph: "M", pid: 0, tid: rank },
    args: { name: `rank ${rank}` },
  }));
  let start = 0;
  let at = 0;
  for (let step = 0; step < steps; step++) {
    const ends = new Float64Array(ranks);
    for (let rank = 0; rank < ranks; rank++) {
      let now = start;
      for (const [name] of costs) {
        const time = parts[at++];
        if (time > 0)
          events.push(slice(name, rank, now, time, { step, groups: [...plan.batch(step, rank)].join(" ") }));
        now += time;
      }
      ends[rank] = now;
    }
    const end = Math.max(...ends);
    for (let rank = 0; rank < ranks; rank++) {
      if (ends[rank] < end) events.push(slice("idle", rank, ends[rank], end - ends[rank], { step }));
    }
    start = end;
  }
  return `${JSON.stringify({ displayTimeUnit: "ms", traceEvents: events })}\n`;
}

function slice(name: string, rank: number, start: number, time: number, args: object) {
  // Microseconds, to the nanosecond.
  const micro = (value: number) => Number((value * 1000).toFixed(3));
  return {
    name,
    cat: name === "idle" ? "idle" : "load",
    ph: "X",
    pid: 0,
    tid: rank,
    ts: micro(start),
    dur: micro(time),
    args,
  };
}
