import { InputError, OptionError, RuntimeError, show } from "./errors.ts";

/**
 * The raw exports of `omnibal.wasm`. What each takes and returns, and the order of calls, is documented beside the
 * exports in `assembly/index.ts`. Pointers are byte addresses that come out signed: `>>> 0` before use.
 */
export interface Abi {
  readonly memory: WebAssembly.Memory;
  alloc(bytes: number): number;
  mark(): number;
  release(mark: number): void;

  mtSeed(seed: number): void;
  mtNext(): number;
  mtShuffle(at: number, n: number): void;
  mtTorchShuffle(at: number, n: number): void;

  isfBegin(
    vit: number,
    tokens: number,
    n: number,
    maxVit: number,
    maxTokens: number,
    minVit: number,
    minTokens: number,
    seed: number,
  ): number;
  isfRound(last: number): number;
  isfGroups(): number;
  isfFinish(): void;

  errorIndex(): number;
  packingGroups(): number;
  packingOffsets(): number;
  packingOrder(): number;
  packingOversizeCount(): number;
  packingOversize(): number;
  packingBound(): number;
  groupSums(values: number, order: number, offsets: number, groups: number, out: number): void;

  readerBegin(vitName: number, vitLength: number, tokensName: number, tokensLength: number, bytes: number): number;
  readerPush(bytes: number): number;
  readerEnd(): number;
  readerBuffer(): number;
  readerVit(): number;
  readerTokens(): number;
  readerVitCount(): number;
  readerTokensCount(): number;
  readerOffset(): number;
  readerIndex(): number;
  readerField(): number;
  readerExpected(): number;
  readerSeen(): number;
  readerSeenLength(): number;
}

/** The statuses of `assembly/status.ts`. */
const OK = 0;
const OUT_OF_MEMORY = 1;
const BAD_ARGUMENT = 2;
const NEGATIVE_VIT = 3;
const NEGATIVE_TOKENS = 4;

/** The error for a length that is not a whole number in 0 .. 2^31 - 1. */
export function invalidLength(field: string, index: number, seen: unknown): InputError {
  return new InputError(
    "INVALID_LENGTH",
    `index ${index}: ${field} is ${show(seen)}, expected a whole number from 0 to 2147483647`,
  );
}

/** The error for a memory that cannot hold `samples`. */
export function outOfMemory(samples: number): RuntimeError {
  return new RuntimeError(
    "OUT_OF_MEMORY",
    `${samples} samples do not fit: a WebAssembly memory ends at 4 GiB, about 110 million samples`,
  );
}

/** Throws what `status` means, if it is not 0. `seen` gives the value at an index, for the message. */
export function check(
  abi: Abi,
  status: number,
  samples: number,
  seen: (field: "vit" | "tokens", at: number) => unknown,
): void {
  switch (status) {
    case OK:
      return;
    case OUT_OF_MEMORY:
      throw outOfMemory(samples);
    case NEGATIVE_VIT:
      throw invalidLength("vit", abi.errorIndex(), seen("vit", abi.errorIndex()));
    case NEGATIVE_TOKENS:
      throw invalidLength("tokens", abi.errorIndex(), seen("tokens", abi.errorIndex()));
    case BAD_ARGUMENT:
      throw new OptionError("INVALID_OPTION", "the core refused an argument that the checks before it let pass");
    default:
      throw new RuntimeError("LOAD_FAILED", `the core answered ${status}: module and facade are of different versions`);
  }
}
