import { execFileSync } from "node:child_process";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { ABI_VERSION } from "../../src/core/abi.ts";
import { Core, EngineError, load, Omnibal, OmnibalError, type PackProgress, type RoundInfo } from "../../src/index.ts";
import { revive } from "../../src/workers/link.ts";
import { root } from "../installed.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const bounds = { maxVit: 9, maxTokens: 4096 };
const input = samples("tiled:200000");
/** Packings that have come from workers. */
let fromWorkers = 0;
/** The worker as it is shipped: sources cannot be run by it. */
const startWorker = () => {
  const worker = new Worker(new URL("../../dist/workers/worker.js", import.meta.url));
  worker.on("message", ({ kind }) => {
    if (kind === "packed") fromWorkers++;
  });
  return worker;
};
const broken = (): Worker => {
  throw new Error("no workers here");
};

describe.each([
  ["in a worker", startWorker, 1],
  ["where there are none", broken, 0],
])("%s", (_, start, workers) => {
  test("the same packing, with a call per round on this thread", async () => {
    fromWorkers = 0;
    const seen: RoundInfo[] = [];
    const packing = await omnibal.packAsync(input, {
      ...bounds,
      startWorker: start,
      onRound: (info) => seen.push(info),
    });
    expect(packing).toEqual(omnibal.pack(input, bounds));
    expect(seen.map((info) => info.round)).toEqual(Array.from({ length: 50 }, (_, r) => r + 1));
    expect(seen.at(-1)?.groups).toBe(packing.length);
    expect(fromWorkers).toBe(workers);
  });

  test("balanced too, with its progress", async () => {
    fromWorkers = 0;
    const done: number[] = [];
    const options = { ...bounds, method: "balanced" as const };
    const onProgress = (progress: PackProgress) => done.push(progress.done);
    const packing = await omnibal.packAsync(input, { ...options, startWorker: start, onProgress });
    expect(packing).toEqual(omnibal.pack(input, options));
    expect(done.at(-1)).toBe(1);
    expect(fromWorkers).toBe(workers);
  });

  test("this thread goes on meanwhile", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await omnibal.packAsync(samples("tiled:1200000"), { ...bounds, startWorker: start });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  test("an abort ends it with its reason, before and while it works", async () => {
    const reason = new Error("enough");
    await expect(omnibal.packAsync(input, { ...bounds, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    let rounds = 0;
    const onRound = () => {
      rounds++;
      stop.abort(reason);
    };
    const run = omnibal.packAsync(samples("tiled:1200000"), {
      ...bounds,
      startWorker: start,
      onRound,
      signal: stop.signal,
    });
    await expect(run).rejects.toBe(reason);
    expect(rounds).toBeLessThan(50);
    expect((await omnibal.packAsync(input, { ...bounds, startWorker: start })).length).toBeGreaterThan(0);
  });

  test("what onRound throws ends it", async () => {
    const onRound = () => {
      throw new Error("no more");
    };
    await expect(omnibal.packAsync(input, { ...bounds, startWorker: start, onRound })).rejects.toThrow("no more");
    expect(omnibal.pack([], bounds).length).toBe(0);
  });

  test("errors are what pack throws", async () => {
    const vit = Int32Array.of(1, -3);
    await expect(omnibal.packAsync({ vit, tokens: vit }, { ...bounds, startWorker: start })).rejects.toMatchObject({
      name: "InputError",
      code: "INVALID_LENGTH",
      message: "index 1: vit is -3, expected a whole number from 0 to 9007199254740991",
    });
    await expect(omnibal.packAsync([], { maxVit: 0, maxTokens: 1, startWorker: start })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });
});

test("a worker that is ended by others is an error, not a wait for ever", async () => {
  let worker: Worker | undefined;
  const start = () => {
    worker = startWorker();
    return worker;
  };
  const run = omnibal.packAsync(samples("tiled:1200000"), {
    ...bounds,
    startWorker: start,
    onRound: () => void worker?.terminate(),
  });
  await expect(run).rejects.toThrow(EngineError);
});

test("a process ends when its packing is done", () => {
  const script = `
    import { load } from "./dist/index.js";
    const packing = await (await load()).packAsync({ vit: [1], tokens: [1] }, { maxVit: 9, maxTokens: 9 });
    console.log(packing.length);`;
  const out = execFileSync("node", ["--input-type=module", "-e", script], {
    cwd: root,
    encoding: "utf8",
    timeout: 20_000,
  });
  expect(out).toBe("1\n");
});

/** A module that has what a packing begins with, and traps there: its `mark` is `unreachable`. */
const trapping = new WebAssembly.Module(
  Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 0, 1, 0x7f], // () -> i32
    ...[3, 3, 2, 0, 0],
    ...[7, 21, 2, 4, ...Buffer.from("mark"), 0, 0, 10, ...Buffer.from("abiVersion"), 0, 1],
    ...[10, 10, 2, 3, 0, 0x00, 0x0b, 4, 0, 0x41, ABI_VERSION, 0x0b],
  ]),
);

test("a trap in a worker has a code, and keeps the engine's text", async () => {
  const broken = new Omnibal(new Core(omnibal.abi, trapping));
  const error = await broken.packAsync(input, { ...bounds, startWorker }).then(
    () => expect.unreachable(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EngineError);
  expect(error).toMatchObject({ name: "EngineError", code: "TRAP", message: "the core has trapped: unreachable" });
});

test("no name of ours hides one of WebAssembly's own", async () => {
  const { exports } = new WebAssembly.Instance(trapping);
  const { RuntimeError } = WebAssembly;
  expect(exports.mark).toThrow(RuntimeError);
  expect(Object.keys(await import("../../src/index.ts"))).not.toContain("RuntimeError");
});

test("an error of a worker that is none of ours keeps its name and text, and gets no code", () => {
  const other = revive({ kind: "failed", id: 0, name: "RangeError", message: "too deep", code: undefined });
  expect(other).not.toBeInstanceOf(OmnibalError);
  expect(other).toMatchObject({ name: "RangeError", message: "too deep" });
  const posing = revive({ kind: "failed", id: 0, name: "EngineError", message: "x", code: undefined });
  expect(posing).not.toBeInstanceOf(OmnibalError);
});
