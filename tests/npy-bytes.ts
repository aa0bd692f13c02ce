// .npy files made by hand, so that the tests need no numpy.

export interface NpyShape {
  readonly descr: string;
  readonly fortran?: boolean;
  readonly version?: 1 | 2 | 3;
  /** Instead of (n, 2). */
  readonly shape?: string;
  /** Instead of the whole dict. */
  readonly dict?: string;
}

/** One value of dtype `descr`, such as <i4. */
function element(descr: string, value: number | bigint): Uint8Array {
  const width = Number(descr[2]);
  const view = new DataView(new ArrayBuffer(width));
  const little = descr[0] !== ">";
  if (descr[1] === "f") {
    if (width === 4) view.setFloat32(0, Number(value), little);
    else view.setFloat64(0, Number(value), little);
  } else {
    let rest = BigInt.asUintN(width * 8, BigInt(value));
    for (let k = 0; k < width; k++, rest >>= 8n) view.setUint8(little ? k : width - 1 - k, Number(rest & 255n));
  }
  return new Uint8Array(view.buffer);
}

/** The file numpy.save writes for rows of (vit, tokens), or of more columns where `shape` says so. */
export function npy(rows: readonly (readonly (number | bigint)[])[], how: NpyShape): Uint8Array {
  const { descr, fortran = false, version = 1, shape = `(${rows.length}, 2)` } = how;
  const order = fortran ? "True" : "False";
  const dict = how.dict ?? `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const before = version === 1 ? 10 : 12;
  const text = `${dict}${" ".repeat(63 - ((before + dict.length) % 64))}\n`;
  const head = new DataView(new ArrayBuffer(before));
  new Uint8Array(head.buffer).set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  if (version === 1) head.setUint16(8, text.length, true);
  else head.setUint32(8, text.length, true);
  const columns = rows.length === 0 ? [] : rows[0].map((_, k) => rows.map((row) => row[k]));
  const values = (fortran ? columns : rows).flat();
  return Buffer.concat([
    new Uint8Array(head.buffer),
    new TextEncoder().encode(text),
    ...values.map((value) => element(descr, value)),
  ]);
}
