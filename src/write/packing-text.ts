import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { checkLists, type Packing } from "../pack/packing.ts";

/** Bytes of text taken out of the core at a time. */
const TEXT_ROOM = 65536;

/** The body of `Omnibal.packingText`. */
export function* packingText(
  core: Core,
  packing: Packing,
  format: "json" | "jsonl",
): Generator<Uint8Array, void, void> {
  const { abi } = core;
  const n = packing.indices.length + packing.oversize.length;
  checkLists(packing);
  const top = core.enter();
  try {
    const out = core.alloc(TEXT_ROOM, n);
    const status = abi.textBegin(
      format === "json" ? 0 : 1,
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
    );
    check(abi, status, n, () => undefined);
    for (let size = abi.textWrite(out, TEXT_ROOM); size > 0; size = abi.textWrite(out, TEXT_ROOM)) {
      yield core.bytes(out, size).slice();
    }
  } finally {
    core.leave(top);
  }
}
