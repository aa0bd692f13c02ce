import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/build.ts"],
    reporters: ["default", "./tests/reporter.ts"],
    testTimeout: 60_000,
    // A test that has asserted nothing at its end has tested nothing.
    expect: { requireAssertions: true },
  },
});
