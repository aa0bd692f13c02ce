/**
 * An ASCII literal as static bytes closed by a zero: half of what a string takes, and no header. ascii-transform.js, which
 * asconfig.json names, puts them in the place of the call.
 */
export declare function ascii(text: string): usize;
