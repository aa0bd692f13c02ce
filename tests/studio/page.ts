// The studio in a browser, watched: what it asks for, and what it complains about.
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { root } from "../installed.ts";

export const PAGE = join(root, "dist/studio/studio.html");

/** A file to be dropped. */
export interface Dropped {
  readonly name: string;
  readonly text: string;
}

export interface Studio {
  readonly page: Page;
  /** Requests that left the page, and all that its console said. */
  readonly trouble: readonly string[];
  /** Drops files on it. */
  drop(...files: readonly Dropped[]): Promise<void>;
  /** A figure as it is shown, once nothing is at work. */
  figure(name: string): Promise<string>;
  /** Waits until the figures are those of what is asked for. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file with the studio in it, from the disk. */
export async function openStudio(
  browser: Browser,
  file = PAGE,
  hash = "",
  options: BrowserContextOptions = {},
): Promise<Studio> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on("console", (message) => trouble.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => trouble.push(error.message));
  page.on("request", (request) => {
    if (!/^(?:file|blob|data):/.test(request.url())) trouble.push(`asks for ${request.url()}`);
  });
  page.on("dialog", (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`file://${file}${hash === "" ? "" : `#${hash}`}`);
  const settled = async () => {
    // What was just done reaches the worker after the next frame.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await page.waitForSelector("main[aria-busy=false]");
  };
  return {
    page,
    trouble,
    settled,
    drop: (...files) =>
      page.evaluate((files) => {
        const dataTransfer = new DataTransfer();
        for (const { name, text } of files) dataTransfer.items.add(new File([text], name));
        document.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
      }, files),
    figure: async (name) => {
      await settled();
      return (await page.textContent(`[data-figure=${JSON.stringify(name)}]`)) ?? "";
    },
    close: () => context.close(),
  };
}
