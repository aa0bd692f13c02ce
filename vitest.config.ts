import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/build.ts"],
    reporters: ["default", "./tests/reporter.ts"],
    testTimeout: 60_000,
    // Much of the time goes to browsers and command lines, which run beside the workers: one for each core.
    maxWorkers: "100%",
    // A test that has asserted nothing at its end has tested nothing.
    expect: { requireAssertions: true },
  },
});
