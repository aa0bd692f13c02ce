// The entry `omnibal/write` in Node and Deno: bytes, and files and folders on the disk.
export * from "./bytes.ts";
export { type EpochsOutput, openEpochs } from "./epochs.ts";
export { type Output, openOutput, writeAs } from "./output.ts";
export type { Writable } from "./stream.ts";
