// Chromium as the system has it, driven by playwright-core.
import { type Browser, chromium as driver, type Page } from "playwright-core";
import { findProgram, type Host } from "./host.ts";
import { ways } from "./pages.ts";
import { askPage, serve } from "./server.ts";

const program = findProgram("OMNIBAL_CHROMIUM", ["chromium", "chromium-browser", "google-chrome"]);

const QUIET = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// Chromium refuses to sandbox what root starts, as in containers.
const chromiumSandbox = process.getuid?.() !== 0;

/** The browser, to be closed by who asks for it. */
export function launch(): Promise<Browser> {
  return driver.launch({ executablePath: program!, args: QUIET, chromiumSandbox });
}

export async function open(url: string) {
  const browser = await launch();
  const trouble: string[] = [];
  const page = await browser.newPage();
  page.on("console", (message) => trouble.push(message.text()));
  page.on("pageerror", (error) => trouble.push(error.message));
  await page.goto(url);
  return { close: () => browser.close(), trouble: () => trouble.join("\n") };
}

/** What `use` makes of a page in `folder`. */
export async function withPage<T>(folder: string, path: string, use: (page: Page) => Promise<T>): Promise<T> {
  const { port, close } = await serve(folder);
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/${path}`);
    return await use(page);
  } finally {
    await browser.close();
    close();
  }
}

/** What a page in `folder` has written into an element once it is there. */
export function read(folder: string, path: string, selector: string): Promise<string> {
  return withPage(folder, path, async (page) => {
    await page.waitForFunction((s) => document.querySelector(s)?.textContent !== "", selector);
    return (await page.textContent(selector)) ?? "";
  });
}

export function missing(): string | undefined {
  return program === undefined
    ? "Chromium is not there: apt-get install chromium, or say where it is in OMNIBAL_CHROMIUM"
    : undefined;
}

export const chromium: readonly Host[] = ways.map(({ name, compiled, page }) => ({
  name: `Chromium, ${name}`,
  compiled,
  missing,
  ask: async (question) => askPage(await page(), question, open),
}));
