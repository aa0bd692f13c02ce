// Loaded before the command line: ends the process by SIGKILL just before its call number CRASH_AT that changes anything
// on the disk, counted from 1. With CRASH_COUNT, a file, it writes there how many there were.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const at = Number(process.env.CRASH_AT ?? 0);
const { writeFileSync } = fs;
let calls = 0;

for (const name of [
  ...["openSync", "writeSync", "fsyncSync", "fchmodSync", "fchownSync", "chmodSync", "mkdirSync", "symlinkSync"],
  ...["renameSync", "unlinkSync", "rmdirSync", "rmSync"],
]) {
  const call = fs[name];
  fs[name] = (...args) => {
    // Opened to be read.
    const isRead = name === "openSync" && (args[1] === undefined || args[1] === "r");
    if (!isRead && ++calls === at) {
      process.kill(process.pid, "SIGKILL");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
    return call(...args);
  };
}
syncBuiltinESMExports();

if (process.env.CRASH_COUNT !== undefined) {
  process.on("exit", () => writeFileSync(process.env.CRASH_COUNT, String(calls)));
}
