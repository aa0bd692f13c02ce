// The views of the studio in a real browser, against the library; what is taken away, against the command line.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import type { Browser, Download } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { native } from "../../bench/inputs.ts";
import { studioReport } from "../../dist/studio/index.js";
import { load } from "../../src/index.ts";
import { formats, packingFiles, planFiles, planFormats } from "../../src/write/index.ts";
import { shell } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { launch, missing } from "../hosts/chromium.ts";
import { whenThere } from "../hosts/when-there.ts";
import { samples } from "../samples.ts";
import { openStudio, type Studio } from "./page.ts";

const folder = testFolder();
const there = whenThere(missing());
const omnibal = await load();
const { vit, tokens } = samples("tiled:5000");
const lengths = { vit, tokens, files: [{ path: "it's all.jsonl", samples: vit.length }] };
const report = join(folder, "report.html");
const HASH = "max.vit=9&max.tokens=4096";

let browser: Browser;
beforeAll(async () => {
  if (missing() !== undefined) return;
  browser = await launch();
  writeFileSync(report, await studioReport(lengths));
  writeFileSync(
    join(folder, lengths.files[0].path),
    Array.from(vit, (v, i) => `{"vit_num":${v},"token_num":${tokens[i]}}`).join("\n"),
  );
}, 30_000);
afterAll(() => browser?.close());

const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 });
const whole = (value: number) => value.toLocaleString("en-US");

async function rowsOf(studio: Studio, caption: string): Promise<string[][]> {
  const table = studio.page.locator("table", { hasText: caption });
  await table.waitFor();
  return table
    .locator("tbody tr")
    .evaluateAll((rows) => rows.map((row) => Array.from(row.children, (cell) => cell.textContent?.trim() ?? "")));
}

async function saved(studio: Studio, press: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([studio.page.waitForEvent("download"), press()]);
  return { name: (download as Download).suggestedFilename(), bytes: readFileSync(await download.path()) };
}

describe("steps", () => {
  there("have the dists of the plan and of the published samplers", async () => {
    const studio = await openStudio(browser, report, `${HASH}&tab=steps&ranks=12`);
    await studio.settled();
    const { stats, published } = omnibal.plan(packing, { ranks: 12, compare: true });
    const rows = Object.entries({ "this plan": stats, ...published }).map(([name, own]) => [
      name,
      ...[own.vitDist, own.tokenDist, own.attentionDist].map((dist) => dist.toFixed(4)),
      `${(own.pad * 100).toFixed(2)}\u00a0%`,
    ]);
    expect(await rowsOf(studio, "Dist ratio")).toEqual(rows);
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });

  there("have the predicted time and the idle share of a plan by cost", async () => {
    const hash = `${HASH}&tab=steps&ranks=12&aim=time&cost.vit=6&cost.tokens=0.02`;
    const studio = await openStudio(browser, report, hash);
    await studio.settled();
    const { stats } = omnibal.plan(packing, { ranks: 12, balance: { msPerTile: 6, msPerToken: 0.02 } });
    expect(await studio.figure("epoch time")).toBe(whole(Math.round(stats.epochMs ?? 0)));
    expect(await studio.figure("idle")).toBe(`${((stats.idle ?? 0) * 100).toFixed(2)}\u00a0%`);
    const { page } = studio;
    await page.getByRole("button", { name: "Later" }).click();
    await page.getByText("steps 12 to 23 of").waitFor();
    await page.getByRole("button", { name: "Compare with other ways" }).click();
    const rows = await rowsOf(studio, "Epoch:");
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.map(([title]) => title).join()).toContain("(best)");
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });
});

describe("search", () => {
  there("lists the front; a row, or a point, becomes the bounds, and packs as it says", async () => {
    const studio = await openStudio(browser, report, `${HASH}&tab=search`);
    await studio.settled();
    const { page } = studio;
    const { pareto, winner } = await omnibal.search(lengths, { ranks: 8, samplesPerGroup: 4, workers: 0 });
    await page.getByRole("button", { name: "Search" }).click();
    const rows = await rowsOf(studio, "The front");
    expect(rows.map(([v, t, groups]) => [v, t, groups])).toEqual(
      pareto.map(({ maxVit, maxTokens, groups }) => [maxVit, maxTokens, groups].map(whole)),
    );
    await page.locator("tr.best button").click();
    expect(await studio.figure("groups")).toBe(whole(winner?.groups ?? 0));
    expect(await page.locator("tr.best button").getAttribute("aria-pressed")).toBe("true");
    await page
      .getByRole("img", { name: /bounds of the front/ })
      .locator(".u-over")
      .click({ position: { x: 3, y: 3 } });
    // A click on nothing changes nothing.
    expect(await studio.figure("groups")).toBe(whole(winner?.groups ?? 0));
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });
});

describe("one group", () => {
  there("has its samples and its sums, and says why it is not fuller", async () => {
    const studio = await openStudio(browser, report, `${HASH}&tab=group&group=7`);
    await studio.settled();
    const { page } = studio;
    for (const group of [7, 8]) {
      const members = [...packing.group(group)];
      expect(await rowsOf(studio, members.length === 1 ? "1 sample" : `${members.length} samples`)).toEqual(
        members.map((i) => [String(i), lengths.files[0].path, String(i), String(vit[i]), whole(tokens[i])]),
      );
      expect(await studio.figure("group vit")).toBe(whole(packing.vit[group]));
      expect(await studio.figure("group tokens")).toBe(whole(packing.tokens[group]));
      if (group === 7) {
        await page.getByRole("button", { name: "Next" }).click();
        await page.waitForFunction(() => location.hash.includes("group=8"));
        await studio.settled();
      }
    }
    // Asked for beyond the end, the last one is shown.
    await page.getByRole("textbox", { name: "group", exact: true }).fill(String(packing.length - 1));
    await studio.settled();
    expect(await page.getByRole("button", { name: "Next" }).isDisabled()).toBe(true);
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });
});

describe("to take away", () => {
  const joined = (pieces: Iterable<Uint8Array>) => Buffer.concat(Array.from(pieces, (piece) => piece.slice()));

  there("packings and plans in every format are those of the library", async () => {
    const studio = await openStudio(browser, report, `${HASH}&tab=take`);
    await studio.settled();
    const { page } = studio;
    const plan = omnibal.plan(packing, { ranks: 8 });
    const kinds = [
      ["packing", "packing as", formats, (name: string) => packingFiles(omnibal, packing, lengths, name)],
      ["plan", "plan for 8 ranks as", planFormats, (name: string) => planFiles(omnibal, plan, packing, lengths, name)],
    ] as const;
    for (const [what, label, list, make] of kinds) {
      for (const { name } of list) {
        await page.getByLabel(label).selectOption(name);
        const { bytes } = await saved(studio, () => page.getByRole("button", { name: `Save the ${what}` }).click());
        const wanted = Object.fromEntries(Array.from(make(name), ([file, pieces]) => [file, joined(pieces)]));
        const files = Object.keys(wanted);
        const own = files.length === 1 ? { [files[0]]: bytes } : unzipSync(bytes);
        expect([name, Object.keys(own).sort()]).toEqual([name, files.sort()]);
        for (const file of files) expect(Buffer.from(own[file]).equals(wanted[file]), `${name}: ${file}`).toBe(true);
      }
    }
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });

  there("the copied command line makes the same packing, whatever the file is called", async () => {
    const hash = `${HASH}&tab=take&rounds=7&seed=5&min.tokens=3900`;
    const studio = await openStudio(browser, report, hash);
    await studio.settled();
    const { page } = studio;
    const { bytes } = await saved(studio, () => page.getByRole("button", { name: "Save the packing" }).click());
    await page.getByRole("button", { name: "Copy: Command line, packing" }).click();
    await page.getByRole("button", { name: "Copy: Command line, packing" }).getByText("Copied").waitFor();
    const field = page.getByRole("textbox", { name: "seed" });
    await field.focus();
    await field.press("ControlOrMeta+a");
    await field.press("ControlOrMeta+v");
    const command = (await field.inputValue()).replaceAll("\\", " ");
    expect(command).toMatch(/^omnibal pack 'it' ''s all.jsonl'/);
    const shown = (await page.locator("pre").first().textContent()) ?? "";
    const { code, err } = shell(shown.replace(/^omnibal/, "$OMNIBAL"), folder);
    expect([code, err.split("\n")[0]]).toEqual([0, `groups       ${await studio.figure("groups")}`]);
    expect(readFileSync(join(folder, "groups.json")).equals(bytes)).toBe(true);
    const planCommand = (await page.locator("pre").nth(1).textContent()) ?? "";
    expect(shell(planCommand.replace(/^omnibal/, "$OMNIBAL"), folder).code).toBe(0);
    const plan = await saved(studio, () => page.getByRole("button", { name: "Save the plan" }).click());
    expect(readFileSync(join(folder, "plan.json")).equals(plan.bytes)).toBe(true);
    await studio.close();
  });

  there("a timeline for Perfetto, and charts as images", async () => {
    const studio = await openStudio(browser, report, `${HASH}&tab=take&ranks=4`);
    await studio.settled();
    const { page } = studio;
    const trace = await saved(studio, () => page.getByRole("button", { name: "Save the timeline" }).click());
    const { traceEvents } = JSON.parse(trace.bytes.toString());
    const slices = traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
    const plan = omnibal.plan(packing, { ranks: 4 });
    expect(traceEvents.filter(({ ph }: { ph: string }) => ph === "M")).toHaveLength(4);
    // A unit of the cost is 1 ms: a tile costs 512 tokens.
    const [group] = plan.batch(0, 0);
    expect(slices[0]).toMatchObject({ name: "vit", tid: 0, ts: 0, dur: packing.vit[group] * 512_000 });
    expect(slices[1]).toMatchObject({ name: "tokens", tid: 0, dur: packing.tokens[group] * 1000 });
    expect(new Set(slices.map(({ args }: { args: { step: number } }) => args.step)).size).toBe(plan.length);
    const png = await saved(studio, () => page.getByRole("button", { name: "Save samples as an image" }).click());
    expect(png.name).toBe("omnibal-samples.png");
    expect(png.bytes.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
    expect(png.bytes.length).toBeGreaterThan(2000);
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });
});

describe("four loads", () => {
  there("are packed as the library does; any two of them are the axes", async () => {
    const { patches, tokens, labels, audio } = native(4000);
    const four = { patches, tokens, labels, audio };
    const file = join(folder, "four.html");
    writeFileSync(file, await studioReport(four));
    const max = { patches: 40000, tokens: 16384, audio: 9000 };
    const hash = Object.entries(max).map(([name, bound]) => `max.${name}=${bound}`);
    const studio = await openStudio(browser, file, [...hash, "x=labels", "y=audio"].join("&"));
    const packing = omnibal.pack(four, { max, lowerBound: "tight" });
    expect(await studio.figure("groups")).toBe(whole(packing.length));
    expect(await studio.figure("lower bound")).toBe(whole(packing.bound));
    expect(await studio.figure("fill of audio")).toBe(`${(packing.stats.fill.audio * 100).toFixed(2)}\u00a0%`);
    const { page } = studio;
    // Labels have no bound, and get one.
    expect(await page.getByRole("slider").count()).toBe(1);
    await page.getByLabel("Bound labels").check();
    await page.getByRole("slider", { name: "Most labels in a group" }).waitFor();
    await page.getByRole("textbox", { name: "Most labels in a group" }).fill("5000");
    const all = omnibal.pack(four, { max: { ...max, labels: 5000 }, lowerBound: "tight" });
    expect(await studio.figure("groups")).toBe(whole(all.length));
    expect(await studio.figure("oversize")).toBe(whole(all.oversize.length));
    expect(studio.trouble).toEqual([]);
    await studio.close();
  });
});
