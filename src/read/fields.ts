import type { Spec } from "../core/options.ts";

/** The options that name the fields of a record, or the columns of a table. */
export const FIELDS = {
  vitField: { kind: "text", default: "vit_num", argument: "NAME", about: "the field of the tiles" },
  tokenField: { kind: "text", default: "token_num", argument: "NAME", about: "the field of the tokens" },
} as const satisfies Readonly<Record<string, Spec>>;
