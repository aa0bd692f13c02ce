// Runs of vit values: one run per value when there are few, else runs of neighbours with about as many samples each. From
// a histogram of 65,536 buckets (wider than one value where the bound on vit is larger), so that values need no sort.

const BUCKETS: i32 = 65536;
/** Up to this many buckets in use are runs of their own. There must be no more runs of neighbours than that either. */
const SINGLE_RUNS: i32 = 48;

/** u32[BUCKETS][3]: samples, least and most vit of them; after `cutRuns` the run in the place of the samples. */
export const HISTOGRAM_BYTES: usize = 65536 * 12;

let shift: i32 = 0;

/** Starts a histogram of vit values 0 .. limit at `table`. */
export function startHistogram(table: usize, limit: i32): void {
  memory.fill(table, 0, HISTOGRAM_BYTES);
  shift = 0;
  while (limit >> shift >= BUCKETS) shift++;
}

/** The bucket of a value. */
export function bucketOf(table: usize, vit: i32): usize {
  return table + <usize>(vit >> shift) * 12;
}

export function countValue(table: usize, vit: i32): void {
  const bucket = bucketOf(table, vit);
  const many = load<u32>(bucket);
  store<u32>(bucket, many + 1);
  if (many == 0 || vit < load<i32>(bucket, 4)) store<i32>(bucket, vit, 4);
  if (many == 0 || vit > load<i32>(bucket, 8)) store<i32>(bucket, vit, 8);
}

/** Buckets with a value. */
export function usedBuckets(table: usize): i32 {
  let used = 0;
  for (let bucket = table; bucket < table + HISTOGRAM_BYTES; bucket += 12) used += i32(load<u32>(bucket) > 0);
  return used;
}

/**
 * Cuts the histogram into runs, where there are too many values, a run being full when it holds more than `enough`:
 * least and most value and samples of each (i32). Returns how many there are, 48 or samples / enough + 1 at most.
 */
export function cutRuns(table: usize, enough: i32, lows: usize, highs: usize, counts: usize): i32 {
  const end = table + HISTOGRAM_BYTES;
  if (usedBuckets(table) <= SINGLE_RUNS) enough = 0;
  let run = -1;
  let inRun = 0;
  for (let bucket = table; bucket < end; bucket += 12) {
    const many = load<i32>(bucket);
    if (many == 0) continue;
    if (run < 0 || inRun > enough) {
      run++;
      inRun = 0;
      store<i32>(lows + ((<usize>run) << 2), load<i32>(bucket, 4));
    }
    inRun += many;
    store<i32>(counts + ((<usize>run) << 2), inRun);
    store<i32>(highs + ((<usize>run) << 2), load<i32>(bucket, 8));
    store<i32>(bucket, run);
  }
  return run + 1;
}
