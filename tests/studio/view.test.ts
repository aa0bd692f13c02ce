// The address of the page and what it shows say the same.
import fc from "fast-check";
import { expect, test } from "vitest";
import { AIMS, COLOURS, fromHash, START, TABS, toHash, type View, WHOLE } from "../../src/studio/view.ts";

const whole = ({ low, high }: { low: number; high: number }) => fc.integer({ min: low, max: high });
const loads = (low: number) =>
  fc
    .array(
      fc.tuple(
        fc.string({ unit: "binary" }),
        fc.maxSafeNat().map((n) => Math.max(n, low)),
      ),
      { maxLength: 4 },
    )
    .map((entries) => {
      const out: Record<string, number> = {};
      for (const [name, value] of entries) {
        Object.defineProperty(out, name, { value, enumerable: true, configurable: true, writable: true });
      }
      return out;
    });

const views: fc.Arbitrary<View> = fc.record({
  max: loads(1),
  min: loads(0),
  cost: fc.constantFrom<View["cost"]>({}, { vit: 512, tokens: 0.25 }, { "tokens^2": 4e-6 }),
  method: fc.constantFrom("isf", "balanced"),
  effort: whole(WHOLE.effort),
  rounds: whole(WHOLE.rounds),
  seed: whole(WHOLE.seed),
  ranks: whole(WHOLE.ranks),
  microBatch: whole(WHOLE.microBatch),
  aim: fc.constantFrom(...AIMS),
  x: fc.string({ unit: "binary" }),
  y: fc.string({ unit: "binary" }),
  colour: fc.constantFrom(...COLOURS),
  tab: fc.constantFrom(...TABS),
  step: whole(WHOLE.step),
  group: whole(WHOLE.group),
  perGroup: whole(WHOLE.perGroup),
});

test("a view is the same after a trip through its address, whatever its loads are called", () => {
  fc.assert(
    fc.property(views, (view) => {
      const { view: again, strange } = fromHash(`#${toHash(view)}`);
      expect(strange).toEqual([]);
      expect(again).toEqual(view);
      expect(Object.keys(again.max)).toEqual(Object.keys(view.max));
    }),
    { examples: [[{ ...START, max: JSON.parse('{"__proto__": 3, "a&b=c#": 4}') }]] },
  );
});

test("the view at the start has no address", () => {
  expect(toHash(START)).toBe("");
  expect(fromHash("")).toEqual({ view: START, strange: [] });
});

test.each([
  "max.vit=0",
  "max.vit=1.5",
  "max.vit=9007199254740992",
  "max.vit=",
  "ranks=0",
  "ranks=1e3",
  "method=<script>",
  "cost.vit=-1",
  "cost.vit=NaN",
  "effort=4",
  "tab=other",
  "constructor=1",
  "wholly=unknown",
])("%s in an address is named, and changes nothing", (hash) => {
  const [key] = hash.split("=");
  expect(fromHash(`#${hash}`)).toEqual({ view: START, strange: [key] });
});
