import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { oneOf } from "../core/options.ts";
import { packingMade } from "../pack/made.ts";
import { checkLists, type Packing } from "../pack/packing.ts";

/** What a packing can be as text, in the core's order. */
const TEXT_FORMATS = ["json", "jsonl", "head"] as const;
export type PackingTextFormat = (typeof TEXT_FORMATS)[number];

/** Bytes of text taken out of the core at a time; where names of loads are very long, more. */
const TEXT_ROOM = 65536;

/** What the core wants to have for the longest piece of text that it does not cut. */
function roomFor(names: readonly string[]): number {
  const bytes = names.reduce((sum, name) => sum + new TextEncoder().encode(name).length, 0);
  return Math.max(TEXT_ROOM, 768 + 96 * names.length + 12 * bytes);
}

/** The body of `Omnibal.packingText`. */
export function* packingText(
  core: Core,
  packing: Packing,
  format: PackingTextFormat,
): Generator<Uint8Array, void, void> {
  const { abi } = core;
  const { offsets, indices, oversize, invalid, loads, bounds, bound, rounds, mix } = packing;
  const n = indices.length + oversize.length + invalid.length;
  checkLists(packing);
  const top = core.enter();
  try {
    const made = new TextEncoder().encode(JSON.stringify(packingMade(abi, packing)));
    const madeAt = core.alloc(made.length, n);
    core.bytes(madeAt, made.length).set(made);
    const own = packing.names;
    const room = roomFor(own);
    const out = core.alloc(room, n);
    const boundsAt = core.alloc(own.length * 8, n);
    core.float64(boundsAt, own.length).set(own.map((name) => bounds.max[name] ?? Number.POSITIVE_INFINITY));
    const wide = own.some((name) => loads[name] instanceof Float64Array);
    const columns = own.map((name) => {
      if (!wide) return core.copyIn(loads[name] as Int32Array, n);
      const at = core.alloc(packing.length * 8, n);
      core.float64(at, packing.length).set(loads[name]);
      return at;
    });
    const columnsAt = core.copyIn(Int32Array.from(columns), n);
    const { names, lengths } = core.namesIn(own, n);
    const status = abi.textBegin(
      TEXT_FORMATS.indexOf(oneOf("format", format, TEXT_FORMATS)),
      core.copyIn(offsets, n),
      core.copyIn(indices, n),
      columnsAt,
      wide ? 8 : 4,
      names,
      lengths,
      own.length,
      packing.length,
      core.copyIn(oversize, n),
      oversize.length,
      core.copyIn(invalid, n),
      invalid.length,
      boundsAt,
      bound,
      rounds,
      mix ?? -1,
      madeAt,
      made.length,
    );
    check(abi, status, n, () => undefined);
    for (let size = abi.textWrite(out, room); size > 0; size = abi.textWrite(out, room)) {
      yield core.bytes(out, size).slice();
    }
  } finally {
    core.leave(top);
  }
}
