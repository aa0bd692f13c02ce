// Which groups a plan or the state of a sampler belongs to, so that it is not used with others.
import type { Abi } from "../core/abi.ts";
import { show } from "../core/errors.ts";
import { fingerprintText, loadSum, packingSum, type Samples } from "../pack/made.ts";
import type { ByLoad, Fingerprint } from "../pack/packing.ts";
import type { GroupPart } from "./group-loads.ts";

/** Which groups a plan or a sampler belongs to. */
export interface GroupsMade {
  /** The number of groups of each packing, that is, of each source. */
  readonly groups: readonly number[];
  /** Fingerprint of the packings, whose groups are numbered one after another. */
  readonly packing?: Fingerprint;
  /** Fingerprints of the groups' loads instead, if nothing else is known of them. */
  readonly loads?: ByLoad<Fingerprint>;
}

function isPacking(part: GroupPart): part is GroupPart & Samples {
  return "offsets" in part && "indices" in part && "oversize" in part;
}

/** Something in which groups differ from those that a plan or a state was made of. */
export interface Difference {
  readonly name: string;
  /** As the plan or state has it. */
  readonly made: string;
  readonly own: string;
}

/** A fingerprint or sizes, for a message. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(show).join(" + ");
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value) ? value : show(value);
}

/** Whether these are the same fingerprint or sizes. */
function isSame(value: unknown, own: Fingerprint | readonly number[] | undefined): boolean {
  if (typeof own !== "object") return value === own && own !== undefined;
  return Array.isArray(value) && value.length === own.length && own.every((size, p) => value[p] === size);
}

/** The groups of a plan or a sampler. Their fingerprint is computed when it is first needed. */
export class GroupsIdentity {
  readonly #abi: Abi;
  readonly #parts: readonly GroupPart[];
  #packing: Fingerprint | undefined;
  #loads: ByLoad<Fingerprint> | undefined;

  constructor(abi: Abi, parts: readonly GroupPart[]) {
    this.#abi = abi;
    this.#parts = [...parts];
  }

  get #sizes(): number[] {
    return this.#parts.map((part) => part.length);
  }

  /** The sum over all parts, given the number of each one's first group. */
  #sum<T extends GroupPart>(parts: readonly T[], sumOf: (part: T, first: number) => bigint): Fingerprint {
    let sum = 0n;
    let first = 0;
    for (const part of parts) {
      sum += sumOf(part, first);
      first += part.length;
    }
    return fingerprintText(sum);
  }

  /** Undefined if the samples of the groups are not known. */
  #packingOf(): Fingerprint | undefined {
    const parts = this.#parts;
    if (parts.every(isPacking)) this.#packing ??= this.#sum(parts, (part, first) => packingSum(this.#abi, part, first));
    return this.#packing;
  }

  #loadsOf(): ByLoad<Fingerprint> {
    const of = (load: "vit" | "tokens") =>
      this.#sum(this.#parts, (part, first) => loadSum(this.#abi, part[load], first));
    this.#loads ??= { vit: of("vit"), tokens: of("tokens") };
    return this.#loads;
  }

  /** O(samples in the groups), 3 ns each. */
  get made(): GroupsMade {
    const packing = this.#packingOf();
    return packing === undefined ? { groups: this.#sizes, loads: this.#loadsOf() } : { groups: this.#sizes, packing };
  }

  /** The first thing in which these are not the groups of `made`. */
  differs(made: GroupsMade): Difference | undefined {
    const compare = (name: string, theirs: unknown, own: Fingerprint | readonly number[] | undefined) =>
      isSame(theirs, own) ? undefined : { name, made: shown(theirs), own: shown(own) };
    const sizes = compare("groups", made?.groups, this.#sizes);
    if (sizes !== undefined) return sizes;
    if (made.loads === undefined) return compare("packing", made.packing, this.#packingOf());
    const { vit, tokens } = this.#loadsOf();
    return (
      compare("vit of the groups", made.loads?.vit, vit) ?? compare("tokens of the groups", made.loads?.tokens, tokens)
    );
  }
}
