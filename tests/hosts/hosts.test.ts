// One table: the same ten packings in every host, by the same module, byte for byte, to the same groups.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { removeApp } from "./app.ts";
import { hosts } from "./hosts.ts";
import { expected, golden, jobs, vectorFor } from "./jobs.ts";
import { whenThere } from "./when-there.ts";

const hashes = jobs.map(expected);
const module = createHash("sha256")
  .update(readFileSync(new URL("../../build/omnibal.wasm", import.meta.url)))
  .digest("hex");
afterAll(removeApp);

test("the golden packings are among them, and no two packings are alike", () => {
  expect(golden.map(vectorFor)).toEqual([expect.any(String), expect.any(String)]);
  expect(new Set(hashes).size).toBe(10);
});

describe("the same groups by the same module", () => {
  for (const host of hosts) {
    whenThere(host.missing())(host.name, async () => {
      const report = await host.ask({ jobs, timed: 0 });
      expect(report.groups).toEqual(hashes);
      expect(report.module).toBe(module);
      if (host.compiled !== undefined) expect(report.compiled).toBe(host.compiled);
    });
  }
});
