// What the tests pack: generated inputs, the real length files where they are at hand, and how packings are compared.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { generate, type Samples } from "../bench/inputs.ts";
import type { Packing, SampleRecord } from "../src/index.ts";
import { unless } from "./needs.ts";

/** Where the real length files are: they cannot be published with this repository. */
export const REAL_DATA = new URL("../../shared/data/", import.meta.url);
export const REAL_FILES = ["ai2d_train_12k", "synthdog_en"] as const;
/** Why tests on them are skipped. */
export const noRealData = unless(existsSync(REAL_DATA), "the real length files are not there: ../shared/data");

/** The same for an input that may be a generated one. */
export function noData(name: string): string | undefined {
  return name.includes(":") ? undefined : noRealData;
}

const cache = new Map<string, Samples>();

/** `uniform:N`, `tiled:N` or the name of a real file. */
export function samples(name: string): Samples {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const made = name.includes(":") ? generate(name) : real(name);
  cache.set(name, made);
  return made;
}

function real(name: string): Samples {
  const records = JSON.parse(readFileSync(new URL(`${name}.json`, REAL_DATA), "utf8")) as SampleRecord[];
  return {
    vit: Int32Array.from(records, (r) => r.vit_num),
    tokens: Int32Array.from(records, (r) => r.token_num),
  };
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The reference's serialisation: indices joined by commas, groups by LF. */
export function groupsText(packing: Packing): string {
  return Array.from(packing, (group) => group.join(",")).join("\n");
}

/** Throws unless every sample is in one group or oversize, both bounds hold and the sums are right. */
export function checkPacking(input: Samples, packing: Packing): void {
  const seen = new Uint8Array(input.vit.length);
  const { vit: maxVit, tokens: maxTokens } = packing.bounds.max;
  for (let g = 0; g < packing.length; g++) {
    let vit = 0;
    let tokens = 0;
    const group = packing.group(g);
    if (group.length === 0) throw new Error(`group ${g} is empty`);
    for (const i of group) {
      if (seen[i]++ !== 0) throw new Error(`sample ${i} is in a second place, group ${g}`);
      vit += input.vit[i];
      tokens += input.tokens[i];
    }
    if (vit > maxVit || tokens > maxTokens) throw new Error(`group ${g} holds ${vit} vit and ${tokens} tokens`);
    if (vit !== packing.vit[g] || tokens !== packing.tokens[g]) throw new Error(`group ${g}: sums are wrong`);
  }
  for (const i of packing.oversize) {
    if (seen[i]++ !== 0) throw new Error(`sample ${i} is in a second place, oversize`);
    if (input.vit[i] <= maxVit && input.tokens[i] <= maxTokens) throw new Error(`sample ${i} is not oversize`);
  }
  const lost = seen.indexOf(0);
  if (lost !== -1) throw new Error(`sample ${lost} is nowhere`);
}
