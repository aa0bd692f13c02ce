// Chromium as the system has it, driven by playwright-core.
import { chromium as driver } from "playwright-core";
import { findProgram, type Host } from "./host.ts";
import { ways } from "./pages.ts";
import { askPage } from "./server.ts";

const program = findProgram("OMNIBAL_CHROMIUM", ["chromium", "chromium-browser", "google-chrome"]);

const QUIET = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function open(url: string) {
  // Chromium refuses to sandbox what root starts, as in containers.
  const chromiumSandbox = process.getuid?.() !== 0;
  const browser = await driver.launch({ executablePath: program!, args: QUIET, chromiumSandbox });
  const trouble: string[] = [];
  const page = await browser.newPage();
  page.on("console", (message) => trouble.push(message.text()));
  page.on("pageerror", (error) => trouble.push(error.message));
  await page.goto(url);
  return { close: () => browser.close(), trouble: () => trouble.join("\n") };
}

export const chromium: readonly Host[] = ways.map(({ name, compiled, page }) => ({
  name: `Chromium, ${name}`,
  compiled,
  missing: () =>
    program === undefined
      ? "Chromium is not there: apt-get install chromium, or say where it is in OMNIBAL_CHROMIUM"
      : undefined,
  ask: async (question) => askPage(await page(), question, open),
}));
