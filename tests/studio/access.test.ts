// The studio for everybody: axe finds nothing serious in any view, theme or size; nothing sticks out to the side. Pictures
// of all of them are left in build/studio, to be looked at.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { native } from "../../bench/inputs.ts";
import { studioReport } from "../../dist/studio/index.js";
import { TABS } from "../../src/studio/view.ts";
import { testFolder } from "../folder.ts";
import { launch, missing } from "../hosts/chromium.ts";
import { whenThere } from "../hosts/when-there.ts";
import { root } from "../installed.ts";
import { samples } from "../samples.ts";
import { openStudio, PAGE } from "./page.ts";

const folder = testFolder();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = join(root, "build/studio");

const report = join(folder, "report.html");
const four = join(folder, "four.html");
let browser: Browser;
beforeAll(async () => {
  if (missing() !== undefined) return;
  browser = await launch();
  mkdirSync(pictures, { recursive: true });
  writeFileSync(report, await studioReport({ ...samples("tiled:20000") }));
  const { patches, tokens, labels, audio } = native(6000);
  const files = [2500, 2000, 1500].map((samples, k) => ({ path: `set-${"abc"[k]}.jsonl`, samples }));
  writeFileSync(four, await studioReport({ patches, tokens, labels, audio, files }));
}, 30_000);
afterAll(() => browser?.close());

const sizes = [
  { width: 1280, height: 720 },
  { width: 390, height: 844 },
];

/** A page, and what of it is looked at. */
const pages = [
  { file: PAGE, hash: "", views: ["empty"] },
  { file: report, hash: "max.vit=9&max.tokens=4096", views: TABS },
  { file: four, hash: "max.patches=40000&max.tokens=16384&colour=source", views: ["four"] },
];

for (const viewport of sizes) {
  whenThere(missing())(
    `axe finds nothing serious, and nothing sticks out, at ${viewport.width} x ${viewport.height}`,
    async () => {
      for (const { file, hash, views } of pages) {
        const studio = await openStudio(browser, file, hash, { viewport });
        const { page } = studio;
        await page.evaluate(axe);
        for (const view of views) {
          const tab = page.locator(`#tab-${view}`);
          if ((await tab.count()) > 0) await tab.click();
          if (hash !== "") await studio.settled();
          if (view === "search") {
            await page.getByRole("button", { name: "Search" }).click();
            await page.getByText("The front, fewest").waitFor();
          }
          expect([view, await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)]).toEqual([
            view,
            0,
          ]);
          for (const colorScheme of ["light", "dark"] as const) {
            await page.emulateMedia({ colorScheme });
            await page.screenshot({
              path: join(pictures, `${view}-${viewport.width}-${colorScheme}.png`),
              fullPage: true,
            });
            // Another theme has other colours, and nothing else.
            const rules = colorScheme === "light" ? "" : '{ runOnly: ["color-contrast"] }';
            const { violations } = (await page.evaluate(`axe.run(${rules})`)) as AxeResults;
            const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
            const found = serious.map(({ id, nodes }) => [
              id,
              ...nodes.slice(0, 3).map((node) => node.html.slice(0, 160)),
            ]);
            expect([view, colorScheme, found]).toEqual([view, colorScheme, []]);
          }
          await page.emulateMedia({ colorScheme: "light" });
        }
        expect(studio.trouble).toEqual([]);
        await studio.close();
      }
    },
  );
}
