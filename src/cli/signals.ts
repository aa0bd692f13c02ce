/** Signals that end the process, and the exit codes by which shells know them. */
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const names = Object.keys(CODES) as (keyof typeof CODES)[];

const listeners = Object.fromEntries(names.map((name) => [name, () => process.exit(CODES[name])]));

/** Ends at once with the shell's code for the signal; what listens to "exit" removes unfinished output. */
export function answerSignals(): void {
  for (const name of names) process.on(name, listeners[name]);
}

/**
 * Does work that keeps the event loop from its turn. A listener would wait for its end, so signals end the process
 * by themselves meanwhile: shells see the same codes. For work that leaves nothing to be removed.
 */
export function interruptibly<T>(work: () => T): T {
  for (const name of names) process.off(name, listeners[name]);
  try {
    return work();
  } finally {
    answerSignals();
  }
}
