// What a page sees while a packing runs in the background: whether it goes on, what it hears, how soon an abort is done.
import { load } from "omnibal";
import { generate } from "./answer.js";

/** Packings that came out of a worker: the page's own thread makes none of these. */
let fromWorkers = 0;
globalThis.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => {
      if (data.kind === "packed") fromWorkers++;
    });
  }
};

/** Turns of the page's event loop while `work` runs, and the longest wait for one, in ms. */
async function watch(work) {
  let turns = 0;
  let longest = 0;
  let last = performance.now();
  const channel = new MessageChannel();
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    turns++;
    channel.port2.postMessage(0);
  };
  channel.port1.onmessage = turn;
  channel.port2.postMessage(0);
  const value = await work();
  channel.port1.close();
  return { value, turns, longest };
}

async function report() {
  const omnibal = await load();
  const input = generate("tiled:4000000");
  const bounds = { maxVit: 9, maxTokens: 4096 };
  const rounds = [];
  const run = await watch(() => omnibal.packAsync(input, { ...bounds, onRound: ({ round }) => rounds.push(round) }));
  const direct = omnibal.pack(input, bounds);
  const same = run.value.indices.every((x, i) => x === direct.indices[i]) && run.value.length === direct.length;

  const stop = new AbortController();
  let aborted = 0;
  let roundsBefore = 0;
  const onRound = ({ round }) => {
    roundsBefore = round;
    if (round !== 2) return;
    aborted = performance.now();
    stop.abort(new Error("enough"));
  };
  let reason = "";
  try {
    await omnibal.packAsync(input, { ...bounds, onRound, signal: stop.signal });
  } catch (error) {
    reason = error.message;
  }
  const abortMs = performance.now() - aborted;
  return { rounds, same, fromWorkers, turns: run.turns, longest: run.longest, reason, roundsBefore, abortMs };
}

export async function reportServer() {
  const body = await report().catch((error) => ({ failed: String(error) }));
  await fetch("/report", { method: "POST", body: JSON.stringify(body) });
}
