// Tests of a host that is not installed are skipped, and the run says how to get it; in CI they fail.
import { test } from "vitest";
import { needs } from "../needs.ts";

const required = process.env.CI === "true" || process.env.OMNIBAL_REQUIRE_HOSTS === "1";

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
  return (name, body) => test(name, needs(missing), body);
}
