// Every host the module is to run in: one line each.
import { chromium } from "./chromium.ts";
import { deno } from "./deno.ts";
import { firefox } from "./firefox.ts";
import type { Host } from "./host.ts";
import { node } from "./node.ts";
import { wasiCommand } from "./wasi-row.ts";
import { wasmtime } from "./wasmtime.ts";

export const hosts: readonly Host[] = [
  ...node, //
  ...deno,
  ...chromium,
  ...firefox,
  ...wasmtime,
  wasiCommand,
];
