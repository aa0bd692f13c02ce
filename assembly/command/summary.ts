// How good the last packing is, for people: the lines that the Node command line shows, but for the times.

import { ascii } from "../base/ascii";
import * as advice from "../pack/advice";
import { say, sayByte, sayNumber, sayOnStandardError, sayThousands } from "./output";
import { packed } from "./packed";
import { sayPrintable } from "./printable";

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

/** What groups hold of a load. */
function sayLoad(k: i32): void {
  sayPrintable(packed.name(k), packed.nameLength(k));
  sayByte(0x20);
  for (let column = packed.nameLength(k) + 1; column < 13; column++) sayByte(0x20);
  let sum: u64 = 0;
  for (let g: usize = 0; g < <usize>packed.groups; g++) sum += <u64>load<f64>(packed.sumsOf(k) + (g << 3));
  if (k >= packed.bounded) {
    sayThousands(sum);
    say(ascii(" in groups, without a bound\n"));
    return;
  }
  sayPercent(packed.groups == 0 ? 0 : <f64>sum / (<f64>packed.groups * packed.boundOf(k)));
  say(ascii(" of "));
  sayThousands(<u64>packed.boundOf(k));
  say(ascii(" in a group filled\n"));
}

/** Of a load with many values, when a group is full. */
function sayFine(k: i32): void {
  say(ascii("full at      "));
  sayThousands(<u64>packed.minimumOf(k));
  sayByte(0x20);
  sayPrintable(packed.name(k), packed.nameLength(k));
  say(ascii(": 99 %, as it has over 64 values\n"));
}

function sayOversize(): void {
  say(ascii("oversize     "));
  if (packed.oversizeCount == 0) {
    say(ascii("none\n"));
    return;
  }
  sayThousands(packed.oversizeCount);
  say(ascii(" in no group: "));
  for (let k = 0; k < min(packed.oversizeCount, 3); k++) {
    if (k > 0) say(ascii(", "));
    sayNumber(load<u32>(packed.oversize + ((<usize>k) << 2)));
  }
  say(packed.oversizeCount > 3 ? ascii(", ...\n") : ascii("\n"));
}

function sayMix(): void {
  say(ascii("mix          "));
  if (packed.mix < 0) say(ascii("-"));
  else {
    sayFixed(packed.mix, 3);
    say(ascii(", where 1 is a random draw"));
  }
  say(ascii("\n"));
}

/** Bounds that suit the samples better, as options: those of each that are others than now. */
function sayAdvice(): void {
  for (let k = 0; k < advice.count; k++) {
    say(k == 0 ? ascii("bounds       do not suit:") : ascii(" or"));
    if (<f64>advice.vitOf(k) != packed.boundOf(0)) {
      say(ascii(" --max-vit "));
      sayNumber(advice.vitOf(k));
    }
    if (<f64>advice.tokensOf(k) != packed.boundOf(1)) {
      say(ascii(" --max-tokens "));
      sayNumber(advice.tokensOf(k));
    }
  }
  if (advice.count > 0) say(ascii(" would\n"));
}

export function saySummary(isAdvised: bool, isIsf: bool): void {
  const samples = load<u32>(packed.offsets + ((<usize>packed.groups) << 2));
  sayOnStandardError();
  say(ascii("groups       "));
  sayThousands(packed.groups);
  say(ascii("\nlower bound  "));
  sayThousands(packed.bound);
  if (packed.bound > 0) {
    say(ascii(", "));
    sayPercent(<f64>packed.groups / <f64>packed.bound - 1);
    say(ascii(" above it"));
  }
  say(ascii("\n"));
  for (let k = 0; k < packed.counted; k++) sayLoad(k);
  for (let k = 0; k < packed.bounded; k++) if (((packed.fine >> k) & 1) != 0) sayFine(k);
  if (isAdvised) sayAdvice();
  say(ascii("samples      "));
  sayThousands(samples);
  say(ascii(" in groups, "));
  sayFixed(packed.groups == 0 ? 0 : <f64>samples / <f64>packed.groups, 2);
  say(ascii(" per group\n"));
  sayOversize();
  sayMix();
  if (!isIsf) return;
  say(ascii("rounds       "));
  sayThousands(packed.rounds);
  say(ascii("\n"));
}
