import { printable } from "./printable.ts";

export { show } from "./printable.ts";

/** What went wrong, for programs; the message is for people. */
export type ErrorCode =
  | "INVALID_LENGTH"
  | "MISSING_FIELD"
  | "LENGTH_MISMATCH"
  | "INVALID_INPUT"
  | "INVALID_FILE"
  | "INVALID_STATE"
  | "INVALID_OPTION"
  | "INVALID_OUTPUT"
  | "INFEASIBLE"
  | "OUT_OF_MEMORY"
  | "BUSY"
  | "LOAD_FAILED"
  | "TRAP";

/**
 * Base of all errors that this package throws. The message is one line that is safe to show on any terminal, whatever
 * names and file contents it quotes: what would act on a terminal is written as an escape.
 */
export class OmnibalError extends Error {
  /** The name of the class, written out, so that bundlers that shorten class names do not change it. */
  override readonly name: string = "OmnibalError";
  /** What went wrong, for programs. */
  readonly code: ErrorCode;

  /** Makes the message printable: escapes replace what would act on a terminal. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(printable(message), options);
    this.code = code;
  }
}

/** The lengths (or the file they come from) are not what they should be. */
export class InputError extends OmnibalError {
  /** The name of the class. */
  override readonly name: string = "InputError";
}

/** An option is outside its range or of the wrong kind. */
export class OptionError extends OmnibalError {
  /** The name of the class. */
  override readonly name: string = "OptionError";
}

/** The instance failed: it is out of memory, in use, could not be loaded, or has trapped. */
export class EngineError extends OmnibalError {
  /** The name of the class. */
  override readonly name: string = "EngineError";
}
