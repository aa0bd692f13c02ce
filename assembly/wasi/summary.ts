// How good the last packing is, for people: the lines that the Node command line shows, but for the times.

import { ascii } from "../ascii";
import { mixOf } from "../mix";
import * as packing from "../packing";
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

/** With three decimals, rounded half up. */
function sayMix(): void {
  say(ascii("mix          "));
  const mix = mixOf(packing.offsets, packing.tokens, packing.attention, packing.groups);
  if (mix < 0) {
    say(ascii("-\n"));
    return;
  }
  const thousandths = <u64>(mix * 1000 + 0.5);
  sayThousands(thousandths / 1000);
  sayByte(0x2e);
  sayByte(<u32>((thousandths / 100) % 10) + 0x30);
  sayByte(<u32>((thousandths / 10) % 10) + 0x30);
  sayByte(<u32>(thousandths % 10) + 0x30);
  say(ascii(", where 1 is a random draw\n"));
}

/** With two decimals, rounded half up: exact, as toFixed(2) is in JavaScript. */
function sayFixed(x: f64, thousands: bool): void {
  const whole = floor(x);
  const hundredths = (<u64>((x - whole) * 4503599627370496.0) * 100 + (1 << 51)) >> 52;
  const n = <u64>whole + hundredths / 100;
  if (thousands) sayThousands(n);
  else sayNumber(n);
  sayByte(0x2e);
  sayByte(<u32>((hundredths / 10) % 10) + 0x30);
  sayByte(<u32>(hundredths % 10) + 0x30);
}

function sayPercent(ratio: f64): void {
  sayFixed(ratio * 100, false);
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

export function saySummary(maxVit: i32, maxTokens: i32, rounds: i32, isBalanced: bool): void {
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
  say(ascii("samples      "));
  sayThousands(samples);
  say(ascii(" in groups, "));
  sayFixed(groups == 0 ? 0 : <f64>samples / <f64>groups, false);
  say(ascii(" per group\n"));
  sayOversize();
  sayMix();
  if (isBalanced) return;
  say(ascii("rounds       "));
  sayThousands(rounds);
  say(ascii("\n"));
}
