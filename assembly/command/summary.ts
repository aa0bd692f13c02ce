// How good the last packing is, for people: the lines that the Node command line shows, but for the times.

import { ascii } from "../base/ascii";
import * as advice from "../pack/advice";
import * as packing from "../pack/packing";
import { say, sayByte, sayNumber, sayOnStandardError } from "./output";

const COMMA: u32 = 0x2c;

/** 1234567 as 1,234,567 */
function sayThousands(x: u64): void {
  let scale: u64 = 1;
  let digits = 1;
  for (; x / scale >= 10; digits++) scale *= 10;
  for (; digits > 0; digits--) {
    sayByte(<u32>((x / scale) % 10) + 0x30);
    scale /= 10;
    if (digits % 3 == 1 && digits > 1) sayByte(COMMA);
  }
}

/** With `decimals` decimals, rounded half up: exact, as toFixed is in JavaScript. */
function sayFixed(x: f64, decimals: i32): void {
  let scale: u64 = 1;
  for (let k = 0; k < decimals; k++) scale *= 10;
  const whole = floor(x);
  const parts = (<u64>((x - whole) * 4503599627370496.0) * scale + ((<u64>1) << 51)) >> 52;
  sayNumber(<u64>whole + parts / scale);
  sayByte(0x2e);
  for (scale /= 10; scale > 0; scale /= 10) sayByte(<u32>((parts / scale) % 10) + 0x30);
}

function sayPercent(ratio: f64): void {
  sayFixed(ratio * 100, 2);
  say(ascii(" %"));
}

function sumOf(values: usize): f64 {
  let sum: u64 = 0;
  for (let g = 0; g < packing.groups; g++) sum += load<u32>(values + ((<usize>g) << 2));
  return <f64>sum;
}

function sayFill(name: usize, values: usize, bound: i32): void {
  say(name);
  sayPercent(packing.groups == 0 ? 0 : sumOf(values) / (<f64>packing.groups * <f64>bound));
  say(ascii(" of "));
  sayThousands(bound);
  say(ascii(" in a group filled\n"));
}

function sayOversize(): void {
  const count = packing.oversizeCount;
  say(ascii("oversize     "));
  if (count == 0) {
    say(ascii("none\n"));
    return;
  }
  sayThousands(count);
  say(ascii(" in no group: "));
  for (let k = 0; k < min(count, 3); k++) {
    if (k > 0) say(ascii(", "));
    sayNumber(load<u32>(packing.oversize + ((<usize>k) << 2)));
  }
  say(count > 3 ? ascii(", ...\n") : ascii("\n"));
}

function sayMix(mix: f64): void {
  say(ascii("mix          "));
  if (mix < 0) say(ascii("-"));
  else {
    sayFixed(mix, 3);
    say(ascii(", where 1 is a random draw"));
  }
  say(ascii("\n"));
}

/** Bounds that suit the samples better, as options: those of each that are others than now. */
function sayAdvice(maxVit: i32, maxTokens: i32): void {
  for (let k = 0; k < advice.count; k++) {
    say(k == 0 ? ascii("bounds       do not suit:") : ascii(" or"));
    if (advice.vitOf(k) != maxVit) {
      say(ascii(" --max-vit "));
      sayNumber(advice.vitOf(k));
    }
    if (advice.tokensOf(k) != maxTokens) {
      say(ascii(" --max-tokens "));
      sayNumber(advice.tokensOf(k));
    }
  }
  if (advice.count > 0) say(ascii(" would\n"));
}

export function saySummary(maxVit: i32, maxTokens: i32, rounds: i32, isf: bool, mix: f64): void {
  const groups = packing.groups;
  const samples = load<u32>(packing.offsets + ((<usize>groups) << 2));
  sayOnStandardError();
  say(ascii("groups       "));
  sayThousands(groups);
  say(ascii("\nlower bound  "));
  sayThousands(packing.bound);
  if (packing.bound > 0) {
    say(ascii(", "));
    sayPercent(<f64>groups / <f64>packing.bound - 1);
    say(ascii(" above it"));
  }
  sayFill(ascii("\nvit          "), packing.vit, maxVit);
  sayFill(ascii("tokens       "), packing.tokens, maxTokens);
  sayAdvice(maxVit, maxTokens);
  say(ascii("samples      "));
  sayThousands(samples);
  say(ascii(" in groups, "));
  sayFixed(groups == 0 ? 0 : <f64>samples / <f64>groups, 2);
  say(ascii(" per group\n"));
  sayOversize();
  sayMix(mix);
  if (!isf) return;
  say(ascii("rounds       "));
  sayThousands(rounds);
  say(ascii("\n"));
}
