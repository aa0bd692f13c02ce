// One table: the same ten packings in every host, by the same module, byte for byte, to the same groups; where the host
// has the facade, the same balanced packing, plan, batches and stream too.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { beyondIsf, ofThreeLoads } from "./answer.ts";
import { removeApp } from "./app.ts";
import { hosts } from "./hosts.ts";
import { expected, golden, jobs, vectorFor } from "./jobs.ts";
import { whenThere } from "./when-there.ts";

const hashes = jobs.map(expected);
const module = createHash("sha256")
  .update(readFileSync(new URL("../../build/omnibal.wasm", import.meta.url)))
  .digest("hex");
/** Hosts that have the module without the facade. */
const bare = ["Deno, without the facade", "wasmtime, WASI command"];
/** The package in python/ has pack and plan of its own. */
const otherFacades = ["wasmtime, from Python"];
const beyond = await beyondIsf(await load());
const three = await ofThreeLoads(await load());
afterAll(removeApp);

test("the golden packings are among them, and no two packings are alike", () => {
  expect(golden.map(vectorFor)).toEqual([expect.any(String), expect.any(String)]);
  expect(new Set(hashes).size).toBe(10);
});

test("the hosts without the facade are among them", () => {
  expect(hosts.map(({ name }) => name).filter((name) => bare.includes(name))).toEqual(bare);
});

describe("the same groups by the same module", () => {
  for (const host of hosts) {
    whenThere(host.missing())(host.name, async () => {
      const report = await host.ask({ jobs, timed: 0 });
      expect(report.groups).toEqual(hashes);
      expect(report.beyondIsf).toBe(bare.includes(host.name) ? undefined : beyond);
      const without = [...bare, ...otherFacades].includes(host.name);
      expect(report.ofThreeLoads).toBe(without ? undefined : three);
      expect(report.module).toBe(module);
      if (host.compiled !== undefined) expect(report.compiled).toBe(host.compiled);
    });
  }
});
