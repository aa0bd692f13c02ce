// What a test needs and does not find here. The reporter (reporter.ts) prints each reason once, at the end of the run.
import type { TestOptions } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Why the test is skipped. */
    missing?: string;
  }
}

/** Options of a test that is skipped where `missing` names something that it needs. */
export function needs(missing: string | undefined): TestOptions {
  return missing === undefined ? {} : { skip: true, meta: { missing } };
}

/** What is missing, by a look at whether it is there. */
export function unless(there: boolean, missing: string): string | undefined {
  return there ? undefined : missing;
}
