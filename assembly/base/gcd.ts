/** The greatest common divisor of a, b >= 0; of a and 0, it is a. */
export function commonDivisor(a: i32, b: i32): i32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}
