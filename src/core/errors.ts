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
  | "INFEASIBLE"
  | "OUT_OF_MEMORY"
  | "BUSY"
  | "LOAD_FAILED";

/** Base of all errors this package throws. */
export class OmnibalError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The lengths (or the file they come from) are not what they should be. */
export class InputError extends OmnibalError {}

/** An option is outside its range or of the wrong kind. */
export class OptionError extends OmnibalError {}

/** The instance cannot do it: no memory, in use, or not loaded. */
export class RuntimeError extends OmnibalError {}

/** How a value is shown in a message: as it would be written in code, cut after 40 characters. */
export function show(value: unknown): string {
  const text =
    typeof value === "string" ? JSON.stringify(value) : typeof value === "bigint" ? `${value}n` : String(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
