// Decimal numbers as people write them: 4, 0.25, .25, 5. or 4e-06.

/** How many digits count; those that follow are beyond a number's precision. */
const MOST_DIGITS: i32 = 19;
const MOST_EXPONENT: i32 = 100_000;

/** 10^n for 0 <= n <= 22, exactly. */
function powerOfTen(n: i32): f64 {
  let power: f64 = 1;
  for (; n > 0; n--) power *= 10;
  return power;
}

/** digits * 10^exponent, correctly rounded if digits < 2^53 and -22 <= exponent <= 22. */
function scaled(digits: u64, exponent: i32): f64 {
  let x = <f64>digits;
  if (x == 0) return 0;
  for (; exponent > 22 && x < Infinity; exponent -= 22) x *= powerOfTen(22);
  for (; exponent < -22 && x > 0; exponent += 22) x /= powerOfTen(22);
  if (exponent < -22 || exponent > 22) return x;
  return exponent < 0 ? x / powerOfTen(-exponent) : x * powerOfTen(exponent);
}

function isDigit(at: usize, end: usize): bool {
  return at < end && <u32>load<u8>(at) - 0x30 < 10;
}

/** The finite number >= 0 that the text u8[at .. end) is; NaN for anything else. */
export function parseDecimal(at: usize, end: usize): f64 {
  let digits: u64 = 0;
  let taken = 0;
  let exponent = 0;
  let any = false;
  let fraction = false;
  for (; at < end; at++) {
    if (!fraction && load<u8>(at) == 0x2e) {
      fraction = true;
      continue;
    }
    if (!isDigit(at, end)) break;
    any = true;
    const digit = load<u8>(at) - 0x30;
    if (taken < MOST_DIGITS) {
      digits = digits * 10 + digit;
      taken += i32(digits > 0);
      exponent -= i32(fraction);
    } else if (!fraction) exponent++;
  }
  // Trailing zeros say nothing, and cost exactness.
  for (; digits > 0 && digits % 10 == 0; exponent++) digits /= 10;
  if (!any) return NaN;
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++;
    const minus = at < end && load<u8>(at) == 0x2d;
    if (minus || (at < end && load<u8>(at) == 0x2b)) at++;
    if (!isDigit(at, end)) return NaN;
    let own = 0;
    for (; isDigit(at, end); at++) own = min(own * 10 + (load<u8>(at) - 0x30), MOST_EXPONENT);
    exponent += minus ? -own : own;
  }
  if (at != end) return NaN;
  const x = scaled(digits, exponent);
  return x < Infinity ? x : NaN;
}
