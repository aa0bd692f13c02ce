// A thread that measures batches one after another.
import { parentPort, workerData } from "node:worker_threads";
import type { Batch } from "../data/batch.ts";
import { requireFamily } from "../families/index.ts";
import { Measurer, type MeasurerSource } from "./measurer.ts";

/** What a worker is sent, and what it answers. */
export interface Task {
  readonly id: number;
  readonly set: number;
  readonly batch: Batch;
}

export type Answer =
  | {
      readonly id: number;
      readonly values: Float64Array<ArrayBuffer>;
      readonly problems: readonly (readonly [number, string])[];
    }
  | {
      readonly id: number;
      readonly error: {
        readonly name: string;
        readonly code: string | undefined;
        readonly message: string;
        readonly stack: string | undefined;
      };
    };

if (parentPort !== null) {
  const port = parentPort;
  const source = workerData as MeasurerSource;
  const made = Measurer.make(source, requireFamily(source.model.family));
  // The first task tells of a failure.
  made.catch(() => {});
  port.on("message", async ({ id, set, batch }: Task) => {
    try {
      const { values, problems } = await (await made).measure(batch, set);
      port.postMessage({ id, values, problems } satisfies Answer, [values.buffer]);
    } catch (error) {
      const { name, message, stack } = error as Error;
      const { code } = error as { code?: string };
      port.postMessage({ id, error: { name, code, message, stack } } satisfies Answer);
    }
  });
}
