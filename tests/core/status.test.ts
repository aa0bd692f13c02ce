// The numbers of statuses stand in assembly/base/status.ts; whoever repeats one, in code or in words, repeats it right.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const statuses = new Map(
  Array.from(
    read("assembly/base/status.ts").matchAll(/^export const ([A-Z_]+): i32 = (\d+);/gm),
    ([, name, number]) => [name, Number(number)],
  ),
);

test("each has a number of its own, from 0 on", () => {
  expect([...statuses.values()].sort((a, b) => a - b)).toEqual(Array.from(statuses.values(), (_, i) => i));
  expect(statuses.size).toBeGreaterThan(18);
});

test.each(["src/core/abi.ts", "src/read/core.ts"])("%s has the same", (path) => {
  const own = Array.from(read(path).matchAll(/^(?:export )?const ([A-Z_]+) = (\d+);/gm), ([, name, number]) => ({
    name,
    number: Number(number),
  })).filter(({ name }) => statuses.has(name));
  expect(own.length).toBeGreaterThan(1);
  for (const { name, number } of own) expect([name, number]).toEqual([name, statuses.get(name)]);
});

test("the ABI's comments tell the right ones", () => {
  const abi = read("assembly/index.ts");
  expect(abi).toContain(`of status ${statuses.get("BAD_UNIT")}, a place in the order`);
  expect(abi).toContain(`${statuses.get("BAD_UNIT")}: a plan names a unit that is not there (\`errorIndex()\`)`);
  expect(abi).toContain(
    `${statuses.get("BAD_LOAD")}: a load of a group cannot be one (\`errorIndex()\`, \`errorLoad()\`)`,
  );
  expect(abi).toContain(
    `${statuses.get("SUM_TOO_LARGE")}: a group's sum of a load is above 2^53 - 1 (\`errorIndex()\`)`,
  );
});
