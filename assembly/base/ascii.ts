/**
 * An ASCII literal as static bytes ending in a zero: half the size of a string, and no header. ascii-transform.js,
 * named in asconfig.json, replaces the call by their address.
 */
export declare function ascii(text: string): usize;
