// Says at the end of a run how long it took, and what was left out and why. Stands beside vitest's default reporter.
// The last line is `N passed, N failed, N skipped` and nothing else, for scripts to read.
import type { SerializedError } from "vitest";
import type { Reporter, TestModule, Vitest } from "vitest/node";
import "./needs.ts";

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** What stands at the end of a run that took `ms`; `silent` is the reason of tests that are skipped without one. */
function summary(
  modules: readonly TestModule[],
  errors: readonly SerializedError[],
  ms: number,
  silent: string,
): string {
  const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
  const reasons = new Map<string, number>();
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const result = test.result();
      count[result.state]++;
      if (result.state !== "skipped") continue;
      const reason = test.meta().missing ?? result.note ?? silent;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    // A file that cannot be loaded and a hook that throws are failures, though of no test.
    for (const suite of [module, ...module.children.allSuites()]) count.failed += suite.errors().length;
  }
  const most = String(Math.max(...reasons.values())).length;
  return [
    ...(reasons.size > 0 ? ["skipped"] : []),
    ...Array.from(reasons, ([reason, tests]) => `  ${String(tests).padStart(most)}  ${reason}`),
    ...(count.pending > 0 ? [`${count.pending} have not run`] : []),
    `time  ${duration(ms)}`,
    `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`,
  ].join("\n");
}

export default class implements Reporter {
  #vitest: Vitest | undefined;
  /** Of the process: loading vitest and building what is stale are part of the wait. */
  #start = 0;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onWatcherRerun(): void {
    this.#start = performance.now();
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const vitest = this.#vitest!;
    const silent =
      vitest.getGlobalTestNamePattern() === undefined ? "no reason is given" : "another name was asked for";
    vitest.logger.log(summary(modules, errors, performance.now() - this.#start, silent));
  }
}
