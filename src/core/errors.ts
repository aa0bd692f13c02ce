import { printable } from "./printable.ts";

export { show } from "./printable.ts";

/** What went wrong, for programs; the message says it for people. */
export type ErrorCode =
  | "INVALID_LENGTH"
  | "MISSING_FIELD"
  | "LENGTH_MISMATCH"
  | "INVALID_INPUT"
  | "INVALID_FILE"
  | "INVALID_STATE"
  | "INVALID_OPTION"
  | "INVALID_OUTPUT"
  | "OUT_OF_MEMORY"
  | "BUSY"
  | "LOAD_FAILED"
  | "TRAP";

/**
 * Base of all errors this package throws. The message is one line that may be shown on any terminal, whatever names and
 * file contents it quotes: what would act on a terminal is written as an escape.
 */
export class OmnibalError extends Error {
  // Written out: a bundler that shortens the names of classes does not shorten these.
  override readonly name: string = "OmnibalError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(printable(message), options);
    this.code = code;
  }
}

/** The lengths (or the file they come from) are not what they should be. */
export class InputError extends OmnibalError {
  override readonly name: string = "InputError";
}

/** An option is outside its range or of the wrong kind. */
export class OptionError extends OmnibalError {
  override readonly name: string = "OptionError";
}

/** The instance cannot do it: it has no memory left, is in use, could not be loaded, or has trapped. */
export class EngineError extends OmnibalError {
  override readonly name: string = "EngineError";
}
