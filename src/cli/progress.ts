import { Presets, SingleBar } from "cli-progress";

/**
 * A progress bar on standard error, if that is a terminal: none in a pipe, a file or a log. It leaves no line behind.
 */
export class Progress {
  readonly #bar: SingleBar | undefined;
  #started = false;
  readonly #end = () => this.end();

  constructor(task: string, quiet: boolean) {
    if (quiet || process.stderr.isTTY !== true) return;
    this.#bar = new SingleBar(
      {
        // At most 12 + 28 + 5 + 30 columns, so that it fits 80.
        format: `${task.padEnd(10)} {bar} {percentage} % {note}`,
        barsize: 28,
        stream: process.stderr,
        fps: 20,
        clearOnComplete: true,
        hideCursor: true,
        // Signals are for main.ts, which ends the process; the listener below then brings the cursor back.
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
    process.on("exit", this.#end);
  }

  /** Shows `done` of `total`. If the total is not known, the bar stays empty, and the note tells how far it is. */
  update(done: number, total: number | undefined, note: string): void {
    const bar = this.#bar;
    if (bar === undefined) return;
    const most = Math.max(total ?? 1, 1);
    const value = total === undefined ? 0 : Math.min(done, most);
    if (this.#started) {
      bar.setTotal(most);
      bar.update(value, { note });
    } else {
      bar.start(most, value, { note });
      this.#started = true;
    }
  }

  end(): void {
    process.off("exit", this.#end);
    if (this.#started) this.#bar?.stop();
    this.#started = false;
  }
}
