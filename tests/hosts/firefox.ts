// Firefox as the system has it. Nothing drives it: it opens the page, and the page sends the report.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, type Host } from "./host.ts";
import { ways } from "./pages.ts";
import { askPage } from "./server.ts";

const program = findProgram("OMNIBAL_FIREFOX", ["firefox-esr", "firefox"]);

/** A profile that opens no page of its own and asks no server for anything. */
const QUIET = {
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "toolkit.telemetry.reportingpolicy.firstRun": false,
  "app.update.enabled": false,
  "app.normandy.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "",
};

export function missing(): string | undefined {
  return program === undefined
    ? "Firefox is not there: apt-get install firefox-esr, or say where it is in OMNIBAL_FIREFOX"
    : undefined;
}

/** Opens a page; what it finds out it has to send by itself. */
export async function open(url: string) {
  const profile = mkdtempSync(join(tmpdir(), "omnibal-firefox-"));
  const prefs = Object.entries(QUIET).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
  writeFileSync(join(profile, "user.js"), prefs.join("\n"));
  const child = spawn(program!, ["--headless", "--no-remote", "--profile", profile, url], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let trouble = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      trouble += text;
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.on("close", () => resolve());
  });
  return {
    async close() {
      child.kill();
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
    trouble: () => trouble,
  };
}

export const firefox: readonly Host[] = ways.map(({ name, compiled, page }) => ({
  name: `Firefox, ${name}`,
  compiled,
  missing,
  ask: async (question) => askPage(await page(), question, open),
}));
