// exp and log by their series: AssemblyScript's own bring 6 KB of tables, and differ with the compiler's flags. Only
// sums, products and quotients, so the bits are the same on every host; the error is a few units in the last place.

const LN2: f64 = Math.LN2;
const SQRT2: f64 = Math.SQRT2;

/** e^x for |x| <= 2. */
export function exp(x: f64): f64 {
  // The series converges fast near 0: an eighth of x, and three squarings.
  const y = x * 0.125;
  let sum: f64 = 1;
  for (let k: f64 = 13; k > 0; k -= 1) sum = 1 + (sum * y) / k;
  sum *= sum;
  sum *= sum;
  return sum * sum;
}

/** The natural logarithm of x, a normal float > 0. */
export function log(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let exponent = <i32>(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0xf_ffff_ffff_ffff) | ((<u64>1023) << 52));
  if (m > SQRT2) {
    m *= 0.5;
    exponent++;
  }
  // log m = 2 artanh s, with |s| below 0.172.
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum: f64 = 0;
  for (let k: f64 = 21; k > 0; k -= 2) sum = sum * square + 1 / k;
  return <f64>exponent * LN2 + 2 * s * sum;
}
