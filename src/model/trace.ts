// The timeline of a simulated step in the format of Chrome's tracing: chrome://tracing and ui.perfetto.dev show it.
import type { SimulatedSplit } from "./split.ts";

/**
 * A simulated step as JSON in Chrome's Trace Event Format, with a line break at the end: a thread per device, a slice
 * per forward and backward, times in microseconds. Open it in ui.perfetto.dev or chrome://tracing. O(operations).
 */
export function chromeTrace({ operations, devices }: SimulatedSplit): string {
  const names = devices.map((_, device) => ({
    ...{ name: "thread_name", ph: "M", pid: 0, tid: device },
    args: { name: `device ${device}` },
  }));
  const slices = operations.map(({ device, kind, microBatch, chunk, startMs, durationMs }) => ({
    name: `${kind === "forward" ? "F" : "B"}${microBatch}`,
    ...{ cat: kind, ph: "X", pid: 0, tid: device },
    // Whole nanoseconds, without the noise of binary fractions.
    ts: Number((startMs * 1000).toFixed(3)),
    dur: Number((durationMs * 1000).toFixed(3)),
    args: { microBatch, chunk },
  }));
  return `${JSON.stringify({ displayTimeUnit: "ms", traceEvents: [...names, ...slices] })}\n`;
}
