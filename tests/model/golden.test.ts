import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { type CoreProblem, simulateCore, withProblem } from "../../src/model/core.ts";
import { type GoldenPartition, readGolden } from "./golden.ts";

const golden = readGolden();
const core = await load();

function problemOf({ layers, stages, microbatches, memory, link }: GoldenPartition): CoreProblem {
  return {
    layers: layers.map(([forward, backward, kept, recomputed, parameters, output]) => ({
      ...{ forward, backward, kept, recomputed, parameters },
      transfer: link.latency + output / link.bandwidth,
    })),
    ...{ stages, microBatches: microbatches, memory, schedule: "1f1b" },
  };
}

/** All ways to cut n layers into a number of stages. */
function* allCuts(n: number, stages: number, from = 1): Generator<number[]> {
  if (stages === 1) yield [];
  else
    for (let c = from; c <= n - stages + 1; c++) for (const rest of allCuts(n, stages - 1, c + 1)) yield [c, ...rest];
}

describe("partition", () => {
  test.each(golden.partition)("$id ($family)", (given) => {
    const problem = problemOf(given);
    const { stages, memory } = problem;
    const n = problem.layers.length;
    const { expected } = given;
    withProblem(core, problem, (open) => {
      /** The stages' times by their own choices, which are checked by the formulas. */
      const timesOf = (cuts: readonly number[], isBounded: boolean) => {
        const starts = [0, ...cuts, n];
        return starts.slice(1).map((j, s) => {
          const i = starts[s];
          const { time, recomputed, bytes } = open.stage(s, i, j);
          let plain = 0;
          let flying = 0;
          let once = 0;
          let parameters = 0;
          for (let l = i; l < j; l++) {
            const layer = problem.layers[l];
            const again = recomputed[l - i];
            plain += layer.forward + layer.backward + (again ? layer.forward : 0);
            flying += again ? layer.recomputed : layer.kept;
            parameters += layer.parameters;
            if (again) once = Math.max(once, layer.kept - layer.recomputed);
          }
          expect(time).toBe(plain);
          expect(bytes).toBe(parameters + Math.min(stages - s, problem.microBatches) * flying + once);
          if (isBounded) expect(bytes).toBeLessThanOrEqual(memory);
          return time;
        });
      };
      for (const mode of ["free", "none", "full", "joint"] as const) {
        open.setMode(mode);
        const found = open.partition();
        const wanted = expected[mode];
        expect(found?.largest, mode).toBe(wanted?.value);
        expect(found?.optima, mode).toBe(wanted?.optima);
        if (found !== undefined) expect(Math.max(...timesOf(found.cuts, mode !== "free"))).toBe(found.largest);
      }
      open.beginSearch();
      open.search(1e7);
      const { step, cuts, bound } = open.best;
      expect(step, "step").toBe(expected.step?.value ?? Number.POSITIVE_INFINITY);
      expect(bound, "bound").toBe(step);
      if (expected.step !== null) {
        expect(open.step(cuts)).toBe(step);
        timesOf(cuts, true);
        let optima = 0;
        for (const some of allCuts(n, stages)) if (open.step(some) === step) optima++;
        expect(optima).toBe(expected.step.optima);
      }
      for (const [radius, wanted] of [expected.paper1, expected.paper2].entries()) {
        expect(wanted === undefined).toBe(stages === 1);
        if (wanted === undefined) continue;
        expect(open.anchor()).toEqual(wanted.anchor);
        const { candidates, best } = open.rank(radius + 1, wanted.best.length, 1);
        expect(candidates).toBe(wanted.candidates);
        expect(best.map(({ cuts }) => cuts)).toEqual(wanted.best.map(([, cuts]) => cuts));
        for (const [i, { score }] of best.entries()) expect(Math.abs(score - wanted.best[i][0])).toBeLessThan(1e-6);
      }
    });
  });
});

describe("simulation", () => {
  test.each(golden.simulate)("$id: $schedule of $stages x $chunks, $microbatches micro-batches", (given) => {
    const { schedule, stages, chunks, microbatches, forward, backward, transfer, activation, expected } = given;
    const seen = simulateCore(core, {
      ...{ schedule, devices: stages, chunks, microBatches: microbatches },
      ...{
        forward: forward.flat(),
        backward: backward.flat(),
        transfer: transfer.flat(),
        activation: activation.flat(),
      },
    });
    expect(seen.step).toBe(expected.step);
    expect(seen.busy).toEqual(expected.busy);
    expect(seen.inFlight).toEqual(expected.inflight);
    expect(seen.activation).toEqual(expected.activation);
    const bubble = 1 - seen.busy.reduce((sum, own) => sum + own, 0) / (stages * seen.step);
    expect(Math.abs(bubble - expected.bubble)).toBeLessThan(1e-11);
    const lines = seen.operations
      .toSorted((a, b) => a.device - b.device)
      .map(({ device, kind, microBatch, chunk, start }) =>
        [device, kind === "forward" ? "F" : "B", microBatch, chunk, start].join(" "),
      );
    expect(createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 16)).toBe(expected.timeline);
  });
});
