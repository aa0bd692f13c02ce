// The studio in a real browser: what it shows is what the library says, whatever way the samples and the bounds came.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { studioReport } from "../../dist/studio/index.js";
import { load, type PackOptions } from "../../src/index.ts";
import { testFolder } from "../folder.ts";
import { launch, missing } from "../hosts/chromium.ts";
import { whenThere } from "../hosts/when-there.ts";
import { samples } from "../samples.ts";
import { openStudio, type Studio } from "./page.ts";

const folder = testFolder();
const there = whenThere(missing());
const omnibal = await load();
const { vit, tokens } = samples("tiled:5000");
const lines = Array.from(vit, (v, i) => `{"vit_num":${v},"token_num":${tokens[i]}}`);
const report = join(folder, "report.html");

let browser: Browser;
beforeAll(async () => {
  if (missing() !== undefined) return;
  browser = await launch();
  const half = { path: "a.jsonl", samples: 2000 };
  writeFileSync(
    report,
    await studioReport(
      { vit, tokens, files: [half, { path: "b.jsonl", samples: 3000 }] },
      { max: { vit: 9, tokens: 4096 } },
    ),
  );
}, 30_000);
afterAll(() => browser?.close());

const whole = (value: number) => value.toLocaleString("en-US");
const percent = (ratio: number) => `${(ratio * 100).toFixed(2)}\u00a0%`;

/** The figures of a packing as the page shows them. */
function shown(options: PackOptions, lengths: Parameters<typeof omnibal.pack>[0] = { vit, tokens }) {
  const { stats } = omnibal.pack(lengths, { lowerBound: "tight", ...options });
  return {
    groups: whole(stats.groups),
    "lower bound": whole(stats.bound),
    ...Object.fromEntries(Object.entries(stats.fill).map(([load, fill]) => [`fill of ${load}`, percent(fill)])),
    "samples per group": stats.samplesPerGroup.toFixed(2),
    oversize: whole(stats.oversize),
    mix: stats.mix === null ? "–" : stats.mix.toFixed(3),
  };
}

async function figures(studio: Studio): Promise<Record<string, string>> {
  await studio.settled();
  return studio.page.$$eval(".key [data-figure]", (all) =>
    Object.fromEntries(all.map((one) => [one.getAttribute("data-figure") ?? "", one.textContent ?? ""])),
  );
}

function bound(studio: Studio, load: string): Locator {
  return studio.page.getByRole("slider", { name: `Most ${load} in a group` });
}

async function boundOf(slider: Locator): Promise<number> {
  return Number(await slider.getAttribute("aria-valuenow"));
}

async function drag(studio: Studio, load: string, byX: number, byY: number): Promise<void> {
  const box = await bound(studio, load).boundingBox();
  if (box === null) throw new Error("it is not there");
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  const { mouse } = studio.page;
  await mouse.move(x, y);
  await mouse.down();
  for (let k = 1; k <= 10; k++) await mouse.move(x + (byX * k) / 10, y + (byY * k) / 10);
  await mouse.up();
}

describe("a report opened from the disk", () => {
  there("shows the figures of the library, and asks nobody for anything", async () => {
    const studio = await openStudio(browser, report);
    expect(await figures(studio)).toEqual(shown({ maxVit: 9, maxTokens: 4096 }));
    expect(await studio.page.textContent("header")).toContain("2 files 5,000 samples");
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });

  there("a bound is dragged by the mouse: the figures follow, and are those of the new bounds", async () => {
    const studio = await openStudio(browser, report);
    await studio.settled();
    await drag(studio, "tokens", -120, 0);
    const maxTokens = await boundOf(bound(studio, "tokens"));
    expect(maxTokens).toBeLessThan(4096);
    expect(await figures(studio)).toEqual(shown({ maxVit: 9, maxTokens }));
    await drag(studio, "vit", 0, 60);
    const maxVit = await boundOf(bound(studio, "vit"));
    expect(maxVit).toBeLessThan(9);
    expect(await figures(studio)).toEqual(shown({ maxVit, maxTokens }));
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });

  there("a bound is moved by keys, as far as they say", async () => {
    const studio = await openStudio(browser, report);
    await studio.settled();
    const slider = bound(studio, "vit");
    await slider.focus();
    await slider.press("ArrowDown");
    expect(await boundOf(slider)).toBe(8);
    await slider.press("Shift+ArrowUp");
    expect(await boundOf(slider)).toBe(18);
    await slider.press("End");
    expect(await boundOf(slider)).toBe(5);
    expect(await figures(studio)).toEqual(shown({ maxVit: 5, maxTokens: 4096 }));
    await slider.press("Home");
    expect(await boundOf(slider)).toBe(1);
    const { oversize } = await figures(studio);
    expect(oversize).toBe(whole(vit.filter((v) => v > 1).length));
    await studio.close();
  });

  there("a reload shows the same view, from the address", async () => {
    const studio = await openStudio(browser, report);
    await studio.settled();
    const { page } = studio;
    await page.getByLabel("Most tokens in a group", { exact: true }).and(page.locator("input")).fill("3000");
    await page.getByLabel("method").selectOption("balanced");
    await page.getByRole("tab", { name: "Steps" }).click();
    await page.getByRole("textbox", { name: "ranks" }).fill("12");
    const before = await figures(studio);
    expect(before).toEqual(shown({ maxVit: 9, maxTokens: 3000, method: "balanced" }));
    const steps = await page.textContent(".panel-body");
    await page.waitForFunction(() => location.hash.includes("ranks=12"));
    await page.reload();
    expect(await figures(studio)).toEqual(before);
    await page.waitForSelector("[data-figure='epoch time']");
    expect(await page.textContent(".panel-body")).toBe(steps);
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });
});

describe("very many samples", () => {
  there("a part is packed first, and says so; then all are", async () => {
    const many = samples("tiled:250000");
    const file = join(folder, "many.html");
    writeFileSync(file, await studioReport({ ...many }, { max: { vit: 9, tokens: 4096 } }));
    const studio = await openStudio(browser, file);
    await studio.settled();
    // Every text that the figures and the status have had since.
    await studio.page.evaluate(() => {
      const seen: string[] = [];
      new MutationObserver(() => {
        seen.push(
          `${document.querySelector(".key")?.textContent} | ${document.querySelector("[role=status]")?.textContent}`,
        );
      }).observe(document.body, { subtree: true, characterData: true, childList: true });
      Object.assign(globalThis, { seen });
    });
    await drag(studio, "tokens", -60, 0);
    const maxTokens = await boundOf(bound(studio, "tokens"));
    expect(await figures(studio)).toEqual(shown({ maxVit: 9, maxTokens }, many));
    const seen = await studio.page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
    expect(seen.some((text) => text.includes("of a part of 40,000 samples"))).toBe(true);
    expect(seen.some((text) => /40,000 of 250,000 packed; packing all samples… \d+ %/.test(text))).toBe(true);
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });
});

describe("files dropped on the empty page", () => {
  there("are read there, and asked for again after a reload, which keeps the view", async () => {
    const studio = await openStudio(browser);
    expect(await studio.page.textContent("h2")).toBe("Drop length files here");
    await studio.drop({ name: "all.jsonl", text: lines.join("\n") });
    await studio.settled();
    const maxTokens = await boundOf(bound(studio, "tokens"));
    const maxVit = await boundOf(bound(studio, "vit"));
    expect(await figures(studio)).toEqual(shown({ maxVit, maxTokens }));
    await bound(studio, "vit").press("ArrowUp");
    const before = await figures(studio);
    await studio.page.waitForFunction((vit) => location.hash.includes(`max.vit=${vit}`), maxVit + 1);
    await studio.page.reload();
    expect(await studio.page.textContent("h2")).toBe("Drop the files of this view again");
    await studio.drop({ name: "all.jsonl", text: lines.join("\n") });
    expect(await figures(studio)).toEqual(before);
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });

  there("open on the bounds that a search tries first", async () => {
    let first: { maxVit: number; maxTokens: number } | undefined;
    const stop = new Error("enough");
    const onProgress = ({ last }: { last: { maxVit: number; maxTokens: number } }) => {
      first = last;
      throw stop;
    };
    const search = omnibal.search({ vit, tokens }, { ranks: 8, samplesPerGroup: 4, workers: 0, onProgress });
    await expect(search).rejects.toBe(stop);
    const studio = await openStudio(browser);
    await studio.drop({ name: "all.jsonl", text: lines.join("\n") });
    await studio.settled();
    expect(await boundOf(bound(studio, "vit"))).toBe(first?.maxVit);
    expect(await boundOf(bound(studio, "tokens"))).toBe(first?.maxTokens);
    await studio.close();
  });

  there("hostile ones give a message and run nothing", async () => {
    const studio = await openStudio(browser);
    const { page } = studio;
    const alert = page.getByRole("alert");
    const markup = '<img src=x onerror="alert(1)"><script>alert(2)</script>.json';
    await studio.drop({ name: markup, text: "[{" });
    await alert.waitFor();
    expect(await alert.textContent()).toContain("<img src=x onerror=");
    await studio.drop({ name: "deep.json", text: "[".repeat(1_000_000) });
    await page.waitForFunction(() => document.querySelector("[role=alert]")?.textContent?.includes("deep.json"));
    expect(await alert.textContent()).toMatch(/^deep\.json: /);
    await studio.drop({ name: "none.json", text: "[]" });
    await page.getByText("There are no samples in these files.").waitFor();
    await studio.drop({ name: "PK.zip", text: "PK\u0003\u0004" });
    await page.waitForFunction(() => document.querySelector("[role=alert]")?.textContent?.includes("PK.zip"));
    // What was wrong before stands in the way of nothing.
    await studio.drop({ name: markup, text: lines.join("\n") });
    await studio.settled();
    expect(await page.textContent(".source")).toContain(markup);
    expect(await page.locator("header img, header script").count()).toBe(0);
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });
});
