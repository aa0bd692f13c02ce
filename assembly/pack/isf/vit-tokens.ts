// ISF of vit and tokens: one packing at a time, handed over to packing.ts, which the exports read.

import { allocArray, mark, release } from "../../base/memory";
import { BAD_ARGUMENT, BAD_LOAD, failAt, NEGATIVE_TOKENS, NEGATIVE_VIT, OK, OUT_OF_MEMORY } from "../../base/status";
import { begin as beginLoads, Loads, listOversize, push as pushLoads } from "../../loads/loads";
import { loadSquares } from "../../loads/sums";
import { setAttention, setBound, setGroups, setOversize } from "../packing";
import { beginRounds, Isf, putSums } from "./isf";

const VIT: i32 = 0;
const TOKENS: i32 = 1;
const bounds: usize = memory.data(2 * 8, 16);
const minima: usize = memory.data(2 * 8, 16);
const columns: usize = memory.data(2 * 4, 16);

/** Rounds done since `begin`. */
export let rounds: i32 = 0;

let loadsAt: usize = 0;
let isfAt: usize = 0;

/**
 * Starts a packing of n samples, which `push` then brings. Takes 20 bytes per sample from the arena (28 for wide
 * bounds); what no group comes to use is never touched.
 */
export function begin(n: i32, maxVit: i32, maxTokens: i32, minVit: i32, minTokens: i32, seed: u32): i32 {
  if (n < 0 || maxVit < 1 || maxTokens < 1) return BAD_ARGUMENT;
  const before = mark();
  store<f64>(bounds, <f64>maxVit);
  store<f64>(bounds, <f64>maxTokens, 8);
  store<f64>(minima, <f64>minVit);
  store<f64>(minima, <f64>minTokens, 8);
  loadsAt = beginLoads(n, 2, bounds);
  isfAt = loadsAt == 0 ? 0 : beginRounds(loadsAt, minima, seed);
  rounds = 0;
  if (isfAt != 0) return OK;
  release(before);
  return OUT_OF_MEMORY;
}

/** The next `more` samples: i32 vit and tokens, not needed any more when this returns. Returns a status. */
export function push(vit: usize, tokens: usize, more: i32): i32 {
  if (rounds > 0) return BAD_ARGUMENT;
  const before = Loads.of(loadsAt).taken;
  store<usize>(columns, vit);
  store<usize>(columns, tokens, 4);
  const status = pushLoads(loadsAt, columns, 0, more);
  if (status != BAD_LOAD) return status;
  // Loads are checked a column at a time; what is reported is the first sample.
  let i: usize = 0;
  while ((load<i32>(vit + (i << 2)) | load<i32>(tokens + (i << 2))) >= 0) i++;
  return failAt(load<i32>(vit + (i << 2)) < 0 ? NEGATIVE_VIT : NEGATIVE_TOKENS, before + <i32>i);
}

/** A round, as `round` in isf.ts; of the samples pushed so far. */
export function round(last: bool): i32 {
  const loose = Isf.of(isfAt).round(last);
  rounds++;
  return loose;
}

/** Groups that there would be if the last round done had kept all of its groups. */
export function groupsNow(): i32 {
  const pass = Isf.of(isfAt).pass;
  return <i32>(pass.keptGroups + pass.looseGroups);
}

/**
 * Ends the packing and adds up its groups: 4 more bytes per oversize sample. Returns a status. Samples that a last
 * round has not placed are in no group.
 */
export function finish(): i32 {
  const loads = Loads.of(loadsAt);
  const pass = Isf.of(isfAt).pass;
  setBound(<i32>max(loads.linear(VIT), loads.linear(TOKENS)));
  const oversize = listOversize(loadsAt);
  if (oversize == 0) return OUT_OF_MEMORY;
  setOversize(oversize, loads.oversize);
  // The last pass is done with its spare array. Sums there take no new memory: first touches of pages and growing cost
  // a first call more than the sums do.
  putSums<i32>(pass, VIT, pass.spare);
  putSums<i32>(pass, TOKENS, pass.rooms);
  setGroups(pass.order, pass.ends, <i32>pass.keptGroups, pass.spare, pass.rooms, 0);
  return OK;
}

/**
 * Also adds up each group's tokens^2, once it is finished: what attention costs. 8 bytes per group at most, O(samples).
 * Returns a status. Summed in u64, which a group within its bound cannot pass (2^62 at most); the f64 is exact below
 * 2^53, and rounded to the nearest beyond.
 */
export function attend(): i32 {
  const loads = Loads.of(loadsAt);
  const pass = Isf.of(isfAt).pass;
  const groups = pass.keptGroups;
  // Behind the sums of vit, where there is room: mostly a group has three samples and more.
  let attention = (pass.spare + (groups << 2) + 7) & ~7;
  if (attention + (groups << 3) > pass.spare + ((<usize>loads.count) << 2)) attention = allocArray(groups, 8);
  if (attention == 0) return OUT_OF_MEMORY;
  loadSquares(loadsAt, TOKENS, pass.order, pass.ends, <i32>groups, attention);
  setAttention(attention);
  return OK;
}
