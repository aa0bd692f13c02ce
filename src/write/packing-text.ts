import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { oneOf } from "../core/options.ts";
import { packingMade } from "../pack/made.ts";
import { checkLists, type Packing } from "../pack/packing.ts";

/** What a packing can be as text, in the core's order. */
const TEXT_FORMATS = ["json", "jsonl", "head"] as const;
export type PackingTextFormat = (typeof TEXT_FORMATS)[number];

/** The loads of a packing, as its text names them. */
const LOADS = ["vit", "tokens"] as const;

/** Bytes of text taken out of the core at a time. */
const TEXT_ROOM = 65536;

/** The body of `Omnibal.packingText`. */
export function* packingText(
  core: Core,
  packing: Packing,
  format: PackingTextFormat,
): Generator<Uint8Array, void, void> {
  const { abi } = core;
  const n = packing.indices.length + packing.oversize.length;
  checkLists(packing);
  const top = core.enter();
  try {
    const made = new TextEncoder().encode(JSON.stringify(packingMade(abi, packing)));
    const madeAt = core.alloc(made.length, n);
    core.bytes(madeAt, made.length).set(made);
    const out = core.alloc(TEXT_ROOM, n);
    const bounds = core.alloc(LOADS.length * 8, n);
    core.float64(bounds, LOADS.length).set(LOADS.map((load) => packing.bounds.max[load]));
    const sums = core.copyIn(
      Int32Array.from(LOADS, (load) => core.copyIn(packing[load], n)),
      n,
    );
    const { names, lengths } = core.namesIn(LOADS, n);
    const status = abi.textBegin(
      TEXT_FORMATS.indexOf(oneOf("format", format, TEXT_FORMATS)),
      core.copyIn(packing.offsets, n),
      core.copyIn(packing.indices, n),
      sums,
      Int32Array.BYTES_PER_ELEMENT,
      names,
      lengths,
      LOADS.length,
      packing.length,
      core.copyIn(packing.oversize, n),
      packing.oversize.length,
      bounds,
      packing.bound,
      packing.rounds,
      packing.mix ?? -1,
      madeAt,
      made.length,
    );
    check(abi, status, n, () => undefined);
    for (let size = abi.textWrite(out, TEXT_ROOM); size > 0; size = abi.textWrite(out, TEXT_ROOM)) {
      yield core.bytes(out, size).slice();
    }
  } finally {
    core.leave(top);
  }
}
