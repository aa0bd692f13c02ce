/** Signals that end the process, and the exit codes that shells give them. */
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const names = Object.keys(CODES) as (keyof typeof CODES)[];

const listeners = Object.fromEntries(names.map((name) => [name, () => process.exit(CODES[name])]));

/** Ends at once with the shell's code for the signal; what listens to "exit" removes unfinished output. */
export function answerSignals(): void {
  for (const name of names) process.on(name, listeners[name]);
}

/**
 * Does work that blocks the event loop. A listener would have to wait for it, so meanwhile signals end the process by
 * themselves, with the same codes for shells. For work that leaves nothing to clean up.
 */
export function interruptibly<T>(work: () => T): T {
  for (const name of names) process.off(name, listeners[name]);
  try {
    return work();
  } finally {
    answerSignals();
  }
}
