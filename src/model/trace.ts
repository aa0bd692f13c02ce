// The timeline of a simulated step in the format of Chrome's tracing: chrome://tracing and ui.perfetto.dev show it.
import type { SimulatedSplit } from "./split.ts";

/** JSON of Chrome's trace event format, times in microseconds: a thread per device, a slice per forward and backward. */
export function chromeTrace({ operations, devices }: SimulatedSplit): string {
  const names = devices.map((_, device) => ({
    ...{ name: "thread_name", ph: "M", pid: 0, tid: device },
    args: { name: `device ${device}` },
  }));
  const slices = operations.map(({ device, kind, microBatch, chunk, startMs, durationMs }) => ({
    name: `${kind === "forward" ? "F" : "B"}${microBatch}`,
    ...{ cat: kind, ph: "X", pid: 0, tid: device },
    // Nanoseconds at most: no noise of binary fractions.
    ts: Number((startMs * 1000).toFixed(3)),
    dur: Number((durationMs * 1000).toFixed(3)),
    args: { microBatch, chunk },
  }));
  return `${JSON.stringify({ displayTimeUnit: "ms", traceEvents: [...names, ...slices] })}\n`;
}
