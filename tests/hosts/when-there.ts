// Tests of a host that is not installed are skipped, with a line on how to get it; in CI they fail.
import { test } from "vitest";

const required = process.env.CI === "true" || process.env.OMNIBAL_REQUIRE_HOSTS === "1";
const told = new Set<string>();

/** `test`, or what stands in its place where `missing` says how to get what it needs. */
export function whenThere(missing: string | undefined): (name: string, body: () => Promise<void>) => void {
  if (missing === undefined) return test;
  if (required) {
    return (name) => {
      test(name, () => {
        throw new Error(missing);
      });
    };
  }
  if (!told.has(missing)) console.warn(`skipped: ${missing}`);
  told.add(missing);
  return test.skip;
}
