// The exports as the facade types them, held against the module: names, and how many arguments each takes.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ABI_VERSION } from "../../src/core/abi.ts";
import { Core, loadCoreSync } from "../../src/index.ts";

const bytes = readFileSync(new URL("../../build/omnibal.wasm", import.meta.url));
const source = readFileSync(new URL("../../src/core/abi.ts", import.meta.url), "utf8");

/** The members of `interface Abi`, with their numbers of parameters. */
function declared(): Map<string, number> {
  const body = /export interface Abi \{\n(.*?)^\}/ms.exec(source)?.[1] ?? "";
  const members = body.matchAll(/^ {2}(\w+)\(([^)]*)\)/gm);
  return new Map(
    Array.from(members, ([, name, parameters]) => [name, parameters.split(",").filter((p) => p.includes(":")).length]),
  );
}

test("every export is typed, with the arguments it takes, and nothing else is", () => {
  // As they are: the loader adds functions of its own.
  const { abi } = Core.of(new WebAssembly.Module(bytes));
  const exported = Object.entries(abi).filter(([, value]) => typeof value === "function") as [string, () => unknown][];
  const typed = declared();
  expect(typed.size).toBeGreaterThan(50);
  const own = exported.filter(([name]) => name !== "_start");
  expect(own.map(([name, { length }]) => `${name}/${length}`).sort()).toEqual(
    Array.from(typed, ([name, length]) => `${name}/${length}`).sort(),
  );
  expect(exported.map(([name]) => name)).toContain("_start");
  expect(abi.memory).toBeInstanceOf(WebAssembly.Memory);
});

test("inner loops are no exports", () => {
  const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name);
  expect(names.filter((name) => name.startsWith("hot"))).toEqual([]);
});

test("a module of another version is refused when it is loaded", () => {
  const { abi, module } = loadCoreSync(bytes);
  expect(abi.abiVersion()).toBe(ABI_VERSION);
  const other = { ...abi, abiVersion: () => ABI_VERSION + 1 };
  expect(() => Core.from(other, module)).toThrow(
    `the module has ABI version ${ABI_VERSION + 1}, this package needs ${ABI_VERSION}: load the omnibal.wasm that came with it`,
  );
  const without = { ...abi, abiVersion: undefined as never };
  expect(() => Core.from(without, module)).toThrow("this is not the omnibal.wasm of this package");
});
