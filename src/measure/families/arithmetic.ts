// Arithmetic as Python does it. The processors of models are written in Python, and one rounding done otherwise is a
// tile or a row of patches more or less.

/** `round(x)`: halves go to the even neighbour, where Math.round takes them up. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** `round(x, 7)`. */
export function roundTo7(x: number): number {
  return Number(x.toFixed(7));
}

/** `a // b` of floats, which is built on the remainder and can differ from the floor of the quotient. */
export function floorDivide(a: number, b: number): number {
  let rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && rest < 0 !== b < 0) {
    rest += b;
    quotient -= 1;
  }
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

/** How many values `arange(start, stop, step)` of floats has; sometimes one more than meant. */
export function arangeLength(start: number, stop: number, step: number): number {
  return Math.max(Math.ceil((stop - start) / step), 0);
}

/** `arange(start, stop, step).int()`: `start + i * step`, cut to whole numbers. */
export function arange(start: number, stop: number, step: number): number[] {
  return Array.from({ length: arangeLength(start, stop, step) }, (_, i) => Math.trunc(start + i * step));
}

/** `numpy.linspace(start, stop, count)`, end included. */
export function linspace(start: number, stop: number, count: number): number[] {
  if (count === 1) return [start];
  const step = (stop - start) / (count - 1);
  const values = Array.from({ length: count }, (_, i) =>
    step === 0 ? (i / (count - 1)) * (stop - start) + start : i * step + start,
  );
  if (count > 1) values[count - 1] = stop;
  return values;
}

/** The values without those seen before. */
export function unique(values: readonly number[]): number[] {
  return [...new Set(values)];
}

/** `f"{x:.1f}"`: the nearest with one decimal; exact ties go to the even digit, where toFixed takes them up. */
export function oneDecimal(x: number): string {
  // A tie needs x * 20 to be odd and exact in binary: x is a multiple of 1 / 4 but not of 1 / 2.
  if (x * 4 === Math.floor(x * 4) && x * 2 !== Math.floor(x * 2)) {
    const tenths = roundHalfEven(x * 10);
    return `${Math.floor(tenths / 10)}.${tenths % 10}`;
  }
  return x.toFixed(1);
}

/** `a / b` in single precision, as tensors divide. */
export function divideFloat32(a: number, b: number): number {
  return Math.fround(Math.fround(a) / Math.fround(b));
}
