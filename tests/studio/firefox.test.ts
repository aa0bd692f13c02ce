// The studio in Firefox, which nothing drives: a page with the studio in a frame does what a user would, and reports.
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { studioReport } from "../../dist/studio/index.js";
import { load } from "../../src/index.ts";
import { TABS } from "../../src/studio/view.ts";
import { testFolder } from "../folder.ts";
import { missing, open } from "../hosts/firefox.ts";
import { askPage } from "../hosts/server.ts";
import { whenThere } from "../hosts/when-there.ts";
import { samples } from "../samples.ts";
import { PAGE } from "./page.ts";

const folder = testFolder();
const omnibal = await load();
const { vit, tokens } = samples("tiled:5000");

interface Seen {
  /** Groups: of the report, after a key, after a drag; and of the dropped file. */
  readonly groups: readonly string[];
  /** The bound on tokens after the drag. */
  readonly maxTokens: number;
  /** Text of each view. */
  readonly views: Readonly<Record<string, number>>;
  /** What a broken file was answered with. */
  readonly message: string;
  readonly header: string;
  readonly trouble: readonly string[];
}

/** What the page around the frame does. */
const HARNESS = `
const trouble = [];
const until = async (what, seen) => {
  for (const end = Date.now() + 20000; Date.now() < end; ) {
    const found = seen();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error("no " + what);
};
let doc;
const settled = async () => {
  await new Promise((done) => setTimeout(done, 100));
  await until("figures", () => doc.querySelector("main[aria-busy=false]"));
};
const groups = () => doc.querySelector("[data-figure=groups]").textContent;
async function visit(path) {
  const frame = document.createElement("iframe");
  frame.style = "width: 1280px; height: 720px";
  frame.src = path;
  await new Promise((done) => { frame.onload = done; document.body.replaceChildren(frame); });
  doc = frame.contentDocument;
  const own = frame.contentWindow;
  own.addEventListener("error", (event) => trouble.push(String(event.message)));
  doc.addEventListener("securitypolicyviolation", (event) => trouble.push(event.violatedDirective + " " + event.blockedURI));
  return own;
}
async function look() {
  const seen = { groups: [], views: {}, trouble };
  let own = await visit("report.html");
  await settled();
  seen.groups.push(groups());
  const slider = (load) => doc.querySelector('[role=slider][aria-label="Most ' + load + ' in a group"]');
  slider("vit").dispatchEvent(new own.KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true, cancelable: true }));
  await settled();
  seen.groups.push(groups());
  const handle = slider("tokens");
  const box = handle.getBoundingClientRect();
  handle.setPointerCapture = () => {};
  for (const [type, x] of [["pointerdown", box.left], ["pointermove", box.left - 40], ["pointermove", box.left - 80], ["pointerup", box.left - 80]]) {
    handle.dispatchEvent(new own.PointerEvent(type, { clientX: x, clientY: box.top + 50, button: 0, bubbles: true, cancelable: true }));
    await new Promise((done) => setTimeout(done, 50));
  }
  await settled();
  seen.maxTokens = Number(handle.getAttribute("aria-valuenow"));
  seen.groups.push(groups());
  for (const tab of TABS) {
    doc.querySelector("#tab-" + tab).click();
    await settled();
    seen.views[tab] = doc.querySelector(".panel-body").textContent.length;
  }
  own = await visit("studio.html");
  await until("page", () => doc.querySelector("h2"));
  const drop = (name, text) => {
    const dataTransfer = new own.DataTransfer();
    dataTransfer.items.add(new own.File([text], name));
    doc.dispatchEvent(new own.DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  };
  drop("broken.json", "[{]");
  seen.message = (await until("message", () => doc.querySelector("[role=alert]"))).textContent;
  drop("all.csv", await (await fetch("all.csv")).text());
  await settled();
  seen.groups.push(groups());
  seen.header = doc.querySelector(".source").textContent;
  return seen;
}
look().catch((error) => ({ failed: error.message + " " + trouble.join() })).then((seen) =>
  fetch("/report", { method: "POST", body: JSON.stringify(seen) }));
`;

const groups = (maxVit: number, maxTokens: number) =>
  omnibal.pack({ vit, tokens }, { maxVit, maxTokens }).length.toLocaleString("en-US");

whenThere(missing())("Firefox: a report and a dropped file, keys and a drag, every view", async () => {
  writeFileSync(join(folder, "report.html"), await studioReport({ vit, tokens }, { max: { vit: 9, tokens: 4096 } }));
  copyFileSync(PAGE, join(folder, "studio.html"));
  const rows = Array.from(vit, (v, i) => `${v},${tokens[i]}`);
  writeFileSync(join(folder, "all.csv"), `vit_num,token_num\n${rows.join("\n")}\n`);
  writeFileSync(join(folder, "harness.js"), `const TABS = ${JSON.stringify(TABS)};${HARNESS}`);
  writeFileSync(join(folder, "index.html"), "<!doctype html><body><script src=harness.js defer></script></body>");
  const page = { folder, path: "index.html", wasmType: "application/wasm" };
  const seen = await askPage<Seen>(page, {}, open);
  expect(seen.trouble).toEqual([]);
  expect(seen.maxTokens).toBeLessThan(4000);
  expect(seen.groups.slice(0, 3)).toEqual([groups(9, 4096), groups(8, 4096), groups(8, seen.maxTokens)]);
  expect(seen.message).toMatch(/^broken\.json: /);
  expect(seen.header).toBe("all.csv 5,000 samples");
  expect(Number(seen.groups[3].replaceAll(",", ""))).toBeGreaterThan(1000);
  for (const tab of TABS) expect([tab, seen.views[tab] > 100]).toEqual([tab, true]);
});
