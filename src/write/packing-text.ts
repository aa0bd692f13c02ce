import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { oneOf } from "../core/options.ts";
import { packingMade } from "../pack/made.ts";
import { checkLists, type Packing } from "../pack/packing.ts";

/** What a packing can be as text, in the core's order. */
const TEXT_FORMATS = ["json", "jsonl", "head"] as const;
export type PackingTextFormat = (typeof TEXT_FORMATS)[number];

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
    const status = abi.textBegin(
      TEXT_FORMATS.indexOf(oneOf("format", format, TEXT_FORMATS)),
      core.copyIn(packing.offsets, n),
      core.copyIn(packing.indices, n),
      core.copyIn(packing.vit, n),
      core.copyIn(packing.tokens, n),
      packing.vit.length,
      core.copyIn(packing.oversize, n),
      packing.oversize.length,
      packing.bounds.maxVit,
      packing.bounds.maxTokens,
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
