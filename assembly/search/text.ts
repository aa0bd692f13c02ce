// What a search found, in words and as one line of JSON: the same bytes on every host.

import { ascii } from "../base/ascii";
import { cursor, put, putBytes, putDecimal, putEscaped, putFixed, putNumber, startText } from "../base/writer";
import { Row } from "./rows";
import { REFERENCE, Search } from "./search";

/** Room for the longest piece of text beside names of files: a row, or the sentence. */
export const LONGEST_PIECE: u32 = 1024;

function putCount(n: i64, one: usize): void {
  putNumber(n);
  put(one);
  if (n != 1) put(ascii("s"));
}

function putFigures(row: Row): void {
  put(ascii("maxVit "));
  putNumber(row.maxVit);
  put(ascii(", maxTokens "));
  putNumber(row.maxTokens);
  put(ascii(", minTokens "));
  putNumber(row.minTokens);
  put(ascii(", rounds "));
  putNumber(row.rounds);
}

function putWindow(s: Search): void {
  if (!s.window) {
    put(ascii("within the limits"));
    return;
  }
  put(ascii("with "));
  putDecimal(s.low);
  put(ascii(" to "));
  putDecimal(s.high);
  put(ascii(" samples per group"));
}

/** The limits asked for; false where there are none. */
function putLimits(s: Search, before: usize): bool {
  const vit = s.vitLimit < i32.MAX_VALUE;
  const tokens = s.tokenLimit < i32.MAX_VALUE;
  if (!vit && !tokens) return false;
  put(before);
  if (vit) {
    put(ascii("maxVit up to "));
    putNumber(s.vitLimit);
  }
  if (vit && tokens) put(ascii(" and "));
  if (tokens) {
    put(ascii("maxTokens up to "));
    putNumber(s.tokenLimit);
  }
  return true;
}

/** Whether what is written stands inside a string of JSON. */
let inJson: bool = false;

function putFile(s: Search): void {
  if (inJson) putEscaped(s.file, s.fileBytes);
  else putBytes(s.file, s.fileBytes);
}

/** "sample 9 (2 of b.json) with 5 tiles and 1341 tokens" */
function putLargest(s: Search): void {
  const samples = s.samples;
  const at = (<usize>samples.largest) << 2;
  put(ascii("sample "));
  putNumber(samples.largest + samples.skipped);
  if (s.fileBytes > 0 && s.fileIndex == samples.largest + samples.skipped) {
    put(ascii(" of "));
    putFile(s);
  } else if (s.fileBytes > 0) {
    put(ascii(" ("));
    putNumber(s.fileIndex);
    put(ascii(" of "));
    putFile(s);
    put(ascii(")"));
  }
  put(ascii(" with "));
  putCount(load<i32>(samples.vit + at), ascii(" tile"));
  put(ascii(" and "));
  putCount(load<i32>(samples.tokens + at), ascii(" token"));
}

/** Writes the largest sample in words at `out`: at most 256 bytes and the file's name; how many. */
export function writeLargest(s: Search, out: usize): i32 {
  startText(out);
  inJson = false;
  putLargest(s);
  return <i32>(cursor - out);
}

/** What leaves samples out, and which bounds would not. */
function putLeftOut(s: Search): void {
  const samples = s.samples;
  put(ascii("No bounds with "));
  putLimits(s, ascii(""));
  if (s.maxLeftOut == 0) put(ascii(" hold every sample"));
  else {
    put(ascii(" leave out only "));
    putNumber(s.maxLeftOut);
  }
  put(ascii(": "));
  putCount(samples.beyondLimits, ascii(" sample"));
  put(samples.beyondLimits == 1 ? ascii(" is") : ascii(" are"));
  put(ascii(" beyond, the largest is "));
  putLargest(s);
  put(ascii(". Bounds from maxVit "));
  putNumber(max(samples.mostVit, 1));
  put(ascii(" and maxTokens "));
  putNumber(max(samples.mostTokens, 1));
  put(ascii(" on hold all; maxLeftOut "));
  putNumber(samples.beyondLimits);
  put(ascii(" permits leaving those out."));
}

/**
 * Whether every row has more samples in a group than the window allows because the largest sample alone is as large as a
 * group in the window is on average, in either load.
 */
function isTooLarge(s: Search): bool {
  if (s.maxLeftOut < 0 || !s.window) return false;
  const table = s.table;
  for (let i = 0; i < table.count; i++) if (table.row(i).samplesPerGroup <= s.high) return false;
  const samples = s.samples;
  const vit = <f64>samples.mostVit;
  const tokens = <f64>samples.mostTokens;
  const n = <f64>samples.count;
  return vit + tokens > 0 && vit * n >= s.high * <f64>samples.sumVit && tokens * n >= s.high * <f64>samples.sumTokens;
}

function putNone(s: Search): void {
  const samples = s.samples;
  const table = s.table;
  if (samples.count == 0) {
    put(ascii("There are no samples, so there is nothing to pack."));
    return;
  }
  if (s.maxLeftOut >= 0 && samples.beyondLimits > s.maxLeftOut) {
    putLeftOut(s);
    return;
  }
  put(ascii("No packing "));
  putWindow(s);
  putLimits(s, ascii(" and "));
  if (table.count == 0) {
    put(ascii(": the walk starts beyond these limits."));
    return;
  }
  let near = -1;
  for (let i = 0; i < s.nearestCount && near < 0; i++) {
    const at = load<i32>(s.nearest + ((<usize>i) << 2));
    if (table.row(at).groups > 0) near = at;
  }
  if (near < 0) {
    put(ascii(": the largest sample has "));
    putNumber(samples.mostVit);
    put(ascii(" tiles and "));
    putNumber(samples.mostTokens);
    put(ascii(" tokens, and every candidate leaves all out."));
    return;
  }
  const row = table.row(near);
  put(ascii(": of "));
  putNumber(table.count);
  put(ascii(" candidates the nearest has "));
  putFixed(row.samplesPerGroup, 3);
  put(ascii(" ("));
  putFigures(row);
  put(ascii(")."));
  if (!isTooLarge(s)) return;
  put(ascii(" The largest is "));
  putLargest(s);
  put(ascii(": bounds that hold it hold more of the others. maxLeftOut permits leaving samples out."));
}

function putWon(s: Search): void {
  const table = s.table;
  const row = table.row(s.winner);
  putFigures(row);
  put(ascii(" won among "));
  putNumber(table.count);
  put(ascii(" candidates, "));
  putNumber(s.inWindow);
  put(ascii(" of them "));
  putWindow(s);
  put(ascii(": "));
  putCount(row.groups, ascii(" group"));
  put(ascii(", "));
  putFixed((row.ratio - 1) * 100, 2);
  put(ascii(" % over the lower bound of "));
  putNumber(row.bound);
  put(ascii(", leave out "));
  if (row.leftOut == 0) put(ascii("no sample"));
  else putCount(row.leftOut, ascii(" sample"));
  put(ascii(", and pad "));
  putFixed(row.pad, 4);
  put(ascii(" + vitDist "));
  putFixed(row.vitDist, 4);
  put(ascii(" + tokenDist "));
  putFixed(row.tokenDist, 4);
  put(ascii(" = "));
  putFixed(row.score, 4);
  if (s.secondScore < 0) put(ascii(" is that of the only one "));
  else {
    put(ascii(" is the least of the "));
    putNumber(s.rivals);
    put(ascii(" "));
  }
  if (s.strategy == REFERENCE) put(ascii("in there"));
  else {
    put(ascii("with groups / bound within "));
    putFixed(s.slack * 100, 2, true);
    put(ascii(" % of the best"));
  }
  if (s.secondScore >= 0) {
    put(ascii(", the next has "));
    putFixed(s.secondScore, 4);
  }
  put(ascii("."));
  if (row.groups >= s.ranks) return;
  put(ascii(" They do not fill a step of "));
  putNumber(s.ranks);
  put(ascii(" ranks, which is measured with repeats."));
}

/** Why the winner won, or why there is none: one sentence at `out`, LONGEST_PIECE bytes at most. Returns its bytes. */
export function writeWhy(s: Search, out: usize): i32 {
  startText(out);
  inJson = false;
  if (s.winner < 0) putNone(s);
  else putWon(s);
  return <i32>(cursor - out);
}

function putRow(row: Row, seed: u32): void {
  put(ascii('{"maxVit":'));
  putNumber(row.maxVit);
  put(ascii(',"maxTokens":'));
  putNumber(row.maxTokens);
  put(ascii(',"minTokens":'));
  putNumber(row.minTokens);
  put(ascii(',"rounds":'));
  putNumber(row.rounds);
  put(ascii(',"seed":'));
  putNumber(seed);
  put(ascii(',"groups":'));
  putNumber(row.groups);
  put(ascii(',"bound":'));
  putNumber(row.bound);
  put(ascii(',"ratio":'));
  putDecimal(row.ratio);
  put(ascii(',"samplesPerGroup":'));
  putDecimal(row.samplesPerGroup);
  put(ascii(',"leftOut":'));
  putNumber(row.leftOut);
  put(ascii(',"pad":'));
  putDecimal(row.pad);
  put(ascii(',"vitDist":'));
  putDecimal(row.vitDist);
  put(ascii(',"tokenDist":'));
  putDecimal(row.tokenDist);
  put(ascii(',"attentionDist":'));
  putDecimal(row.attentionDist);
  put(ascii(',"score":'));
  putDecimal(row.score);
  put(row.distance == 0 ? ascii(',"inWindow":true') : ascii(',"inWindow":false'));
  put(row.pareto != 0 ? ascii(',"pareto":true}') : ascii(',"pareto":false}'));
}

const WINNER: i32 = 0;
const CANDIDATES: i32 = 1;
const PARETO: i32 = 2;
/** After the nearest rows, which are part 3. */
const END: i32 = 4;

/** The part that is being written, and its next row. */
let part: i32 = 5;
let next: i32 = 0;

/** Starts the JSON of a search that is finished. */
export function startJson(): void {
  part = WINNER;
  next = 0;
}

/**
 * Writes the next bytes of the JSON at `out`, `room` of them at most (at least LONGEST_PIECE); returns how many, 0 at the
 * end. `seed`: the one that all candidates were packed with.
 */
export function writeJson(s: Search, out: usize, room: u32, seed: u32): i32 {
  startText(out);
  const table = s.table;
  // The name stands in the text twice, a byte of it as six at most.
  const piece = LONGEST_PIECE + (part == END ? <u32>s.fileBytes * 12 : 0);
  while (part <= END && <u32>(cursor - out) + piece <= room) {
    if (part == WINNER) {
      put(ascii('{"winner":'));
      if (s.winner < 0) put(ascii("null"));
      else putRow(table.row(s.winner), seed);
      put(ascii(',"candidates":['));
      part = CANDIDATES;
    } else if (part == END) {
      put(ascii('"why":"'));
      inJson = true;
      if (s.winner < 0) putNone(s);
      else putWon(s);
      put(
        s.strategy == REFERENCE ? ascii('","strategy":"reference","pruned":') : ascii('","strategy":"scan","pruned":'),
      );
      putNumber(s.pruned);
      putSamples(s);
      part++;
    } else {
      const list = part == CANDIDATES ? s.list : part == PARETO ? s.pareto : s.nearest;
      const count = part == CANDIDATES ? table.count : part == PARETO ? s.paretoCount : s.nearestCount;
      if (next < count) {
        if (next > 0) put(ascii(","));
        putRow(table.row(load<i32>(list + ((<usize>next) << 2))), seed);
        next++;
      } else {
        put(part == CANDIDATES ? ascii('],"pareto":[') : part == PARETO ? ascii('],"nearest":[') : ascii("],"));
        part++;
        next = 0;
      }
    }
  }
  return <i32>(cursor - out);
}

function putSamples(s: Search): void {
  const samples = s.samples;
  put(ascii(',"largest":'));
  if (samples.count == 0) put(ascii("null"));
  else {
    const at = (<usize>samples.largest) << 2;
    put(ascii('{"index":'));
    putNumber(samples.largest + samples.skipped);
    if (s.fileBytes > 0) {
      put(ascii(',"file":{"path":"'));
      putEscaped(s.file, s.fileBytes);
      put(ascii('","index":'));
      putNumber(s.fileIndex);
      put(ascii("}"));
    }
    put(ascii(',"vit":'));
    putNumber(load<i32>(samples.vit + at));
    put(ascii(',"tokens":'));
    putNumber(load<i32>(samples.tokens + at));
    put(ascii("}"));
  }
  put(ascii(',"needed":{"maxVit":'));
  putNumber(samples.mostVit);
  put(ascii(',"maxTokens":'));
  putNumber(samples.mostTokens);
  put(ascii('},"beyondLimits":'));
  putNumber(samples.beyondLimits);
  put(ascii("}\n"));
}
