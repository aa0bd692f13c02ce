import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { startFromSource } from "../../bench/source-worker.ts";
import { load, type SearchOptions, type WorkerLike } from "../../src/index.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const input = samples("tiled:1000");
const asked: SearchOptions = { ranks: 8, samplesPerGroup: 4, candidates: 60 };

const without = await omnibal.search(input, { ...asked, workers: 0 });

describe("the pool", () => {
  test.each([1, 2, 3])("%i workers: the same result as without", async (workers) => {
    const seen = await omnibal.search(input, { ...asked, workers, startWorker: startFromSource });
    expect(seen.workers).toBe(workers);
    expect(seen).toEqual({ ...without, workers });
  });

  test("workers that cannot be started, or end at once, are done without", async () => {
    const none = (): WorkerLike => {
      throw new Error("a policy forbids it");
    };
    expect(await omnibal.search(input, { ...asked, workers: 2, startWorker: none })).toEqual(without);
    const missing = (): WorkerLike => new Worker(new URL("./no-such-file.js", import.meta.url));
    expect(await omnibal.search(input, { ...asked, workers: 2, startWorker: missing })).toEqual(without);
  });

  test("a worker that dies gives its candidate back", async () => {
    const started: WorkerLike[] = [];
    const start = () => {
      started.push(startFromSource());
      return started[started.length - 1];
    };
    let seen = 0;
    const result = await omnibal.search(input, {
      ...asked,
      workers: 2,
      startWorker: start,
      onProgress: () => {
        if (++seen === 5) started[0].terminate();
        if (seen === 12) started[1].terminate();
      },
    });
    expect({ ...result, workers: 0 }).toEqual(without);
    expect(started.length).toBe(2);
    // Both were ended on the way.
    expect(seen).toBeGreaterThan(12);
  });

  test("an abort ends the workers at once", async () => {
    const ended: Promise<unknown>[] = [];
    const stop = new AbortController();
    const run = omnibal.search(samples("tiled:20000"), {
      ...asked,
      workers: 2,
      signal: stop.signal,
      startWorker: () => {
        const worker = startFromSource();
        ended.push(new Promise((resolve) => worker.on("exit", resolve)));
        return worker;
      },
      onProgress: ({ done }) => {
        if (done === 2) stop.abort(new Error("enough"));
      },
    });
    await expect(run).rejects.toThrow("enough");
    expect(ended.length).toBe(2);
    await Promise.all(ended);
  });

  test("what a worker throws comes back as it was", async () => {
    const negative = { vit: Int32Array.of(1, -1), tokens: Int32Array.of(1, 1) };
    const run = omnibal.search(negative, { ...asked, workers: 1, startWorker: startFromSource });
    await expect(run).rejects.toMatchObject({ name: "InputError", code: "INVALID_LENGTH" });
  });
});
