// A folder that the tests of one file write in, gone when they are done; and what folders and .npy files hold, read by hand.
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** To be called where a file's tests are collected: inside a test it would outlive the run. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "omnibal-test-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Every path below `at`, with what is in the files. */
export function contents(at: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(at, { recursive: true, withFileTypes: true })
      .map((entry) => [join(entry.parentPath, entry.name), entry] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, entry]) => {
        const link = entry.isSymbolicLink() ? `-> ${readlinkSync(path)}` : "folder";
        return [path.slice(at.length), entry.isFile() ? readFileSync(path, "latin1") : link];
      }),
  );
}

/** Header and values of an .npy file of int64. */
export function readNpy(path: string): { header: string; values: number[] } {
  const bytes = readFileSync(path);
  if (bytes.subarray(0, 8).toString("latin1") !== "\x93NUMPY\x01\x00") throw new Error(`${path} is no .npy 1.0`);
  const start = 10 + bytes.readUInt16LE(8);
  if (start % 64 !== 0 || bytes[start - 1] !== 10) throw new Error(`${path}: data starts at ${start}`);
  const values: number[] = [];
  for (let at = start; at < bytes.length; at += 8) values.push(Number(bytes.readBigInt64LE(at)));
  return { header: bytes.subarray(10, start).toString("latin1").trimEnd(), values };
}
