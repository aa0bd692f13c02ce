// packAsync in a real browser: the page goes on while a worker packs, hears of every round, and an abort ends it.
import { afterAll, expect } from "vitest";
import { appFolder, removeApp } from "./app.ts";
import { missing, open } from "./chromium.ts";
import { byVite, WASM } from "./pages.ts";
import { askPage, type Page } from "./server.ts";
import { whenThere } from "./when-there.ts";

interface Background {
  rounds: number[];
  same: boolean;
  fromWorkers: number;
  turns: number;
  longest: number;
  reason: string;
  roundsBefore: number;
  abortMs: number;
}

afterAll(removeApp);

const pages: Record<string, () => Promise<Page>> = {
  "a page without a build step": async () => ({ folder: await appFolder(), path: "background.html", wasmType: WASM }),
  "built by Vite": () => byVite("vite-background"),
};

for (const [name, page] of Object.entries(pages)) {
  whenThere(missing())(`Chromium, ${name}: packAsync leaves the page free`, async () => {
    const seen = await askPage<Background>(await page(), {}, open);
    expect(seen.fromWorkers).toBe(1);
    expect(seen.same).toBe(true);
    expect(seen.rounds).toEqual(Array.from({ length: 50 }, (_, r) => r + 1));
    expect(seen.turns).toBeGreaterThan(100);
    expect(seen.reason).toBe("enough");
    expect(seen.roundsBefore).toBeLessThan(50);
    console.log(`${name}: longest wait ${seen.longest.toFixed(0)} ms, abort done in ${seen.abortMs.toFixed(1)} ms`);
  });
}
