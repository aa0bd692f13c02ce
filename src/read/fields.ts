import type { Spec } from "../core/options.ts";

/** The options that say what is read of a record, or of the columns of a table. */
export const FIELDS = {
  load: {
    kind: "text",
    argument: "NAME=FIELD,...",
    about: "the fields of loads that are called otherwise: patches=n_patches",
  },
  missing: {
    kind: "choice",
    names: ["0"],
    argument: "0",
    about: "a record that lacks a load has 0 of it, and is no error",
  },
  columns: {
    kind: "text",
    argument: "NAME,...",
    about: "what the columns of a .npy are, as a header would say",
    usual: "vit,tokens",
  },
  vitField: { kind: "text", argument: "NAME", about: "short for --load vit=NAME", usual: "vit, or else vit_num" },
  tokenField: { kind: "text", argument: "NAME", about: "and for tokens", usual: "tokens, or else token_num" },
} as const satisfies Readonly<Record<string, Spec>>;
