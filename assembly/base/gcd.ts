/** The greatest common divisor; that of a and 0 is a. Both >= 0. */
export function commonDivisor(a: i32, b: i32): i32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}
