import { balancedMethod } from "./balanced.ts";
import { isfMethod } from "./isf.ts";
import type { Method } from "./method.ts";

/** The packing methods; the first is the default. A new one is a file beside this one and a line here. */
export const METHODS = [isfMethod, balancedMethod] as const satisfies readonly Method[];

/** How groups are made: `isf` is the published algorithm, `balanced` comes close to the lower bound. */
export type PackMethod = (typeof METHODS)[number]["name"];

/** Options of one method are refused by the others. */
export type PackOptions = Parameters<(typeof METHODS)[number]["run"]>[2];

/** The methods as what they have in common. */
export const methods: readonly Method[] = METHODS;
