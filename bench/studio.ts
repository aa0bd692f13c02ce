// Frames of the studio while a bound is dragged, and how soon figures follow, in Chromium:
// `npm run bench:studio`, or `npm run bench:studio -- tiled:70000 tiled:1200000`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { studioReport } from "../dist/studio/index.js";
import { launch } from "../tests/hosts/chromium.ts";
import { openStudio } from "../tests/studio/page.ts";
import { generate } from "./inputs.ts";

const names = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "omnibal-studio-"));
const browser = await launch();

/** Frames to drag for: two seconds at 60 a second. */
const FRAMES = 120;

interface Seen {
  readonly frames: readonly number[];
  readonly answers: number;
  readonly first: number;
}

const at = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

try {
  for (const name of names.length > 0 ? names : ["tiled:70000", "tiled:1200000"]) {
    const file = join(folder, "report.html");
    const samples = generate(name);
    writeFileSync(file, await studioReport({ ...samples }, { max: { vit: 9, tokens: 4096 } }));
    const started = performance.now();
    const studio = await openStudio(browser, file);
    await studio.page.waitForSelector(".key b");
    const shown = performance.now() - started;
    await studio.settled();
    // What compiles this file names its functions, by a function that the page does not have.
    await studio.page.evaluate("globalThis.__name = (own) => own");
    // Moves come from the page itself, one per frame: those of the driver would wait for each other.
    const seen: Seen = await studio.page.evaluate(async (frames) => {
      const handle = document.querySelector(".bound.across") as HTMLElement;
      const box = handle.getBoundingClientRect();
      const y = box.top + box.height / 2;
      const pointer = (type: string, x: number) => {
        const event = new PointerEvent(type, {
          pointerId: 1,
          clientX: x,
          clientY: y,
          bubbles: true,
          button: 0,
          buttons: 1,
        });
        handle.dispatchEvent(event);
      };
      handle.setPointerCapture = () => {};
      const key = document.querySelector(".key") as HTMLElement;
      let answers = 0;
      let first = 0;
      const begin = performance.now();
      const watch = new MutationObserver(() => {
        answers++;
        first ||= performance.now() - begin;
      });
      watch.observe(key, { subtree: true, characterData: true, childList: true });
      const x = box.left + box.width / 2;
      pointer("pointerdown", x);
      const times: number[] = [];
      let before = await new Promise<number>(requestAnimationFrame);
      for (let k = 1; k <= frames; k++) {
        pointer("pointermove", x - 120 * Math.sin((k / frames) * Math.PI));
        const now = await new Promise<number>(requestAnimationFrame);
        times.push(now - before);
        before = now;
      }
      pointer("pointerup", x);
      watch.disconnect();
      return { frames: times, answers, first };
    }, FRAMES);
    await studio.settled();
    const sorted = [...seen.frames].sort((a, b) => a - b);
    const seconds = seen.frames.reduce((sum, time) => sum + time, 0) / 1000;
    const line = [
      `${name}: shown after ${shown.toFixed(0)} ms`,
      `first figures of a drag after ${seen.first.toFixed(0)} ms`,
      `${(seen.answers / seconds).toFixed(1)} figures/s`,
      `${(FRAMES / seconds).toFixed(1)} frames/s, median ${at(sorted, 0.5).toFixed(1)} ms, p95 ${at(sorted, 0.95).toFixed(1)} ms, worst ${at(sorted, 1).toFixed(1)} ms`,
    ];
    process.stdout.write(`${line.join("\n  ")}\n`);
    if (studio.trouble.length > 0) process.stdout.write(`  ${studio.trouble.join("\n  ")}\n`);
    await studio.close();
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
