// The page on the loopback address: for the browser beside it, and for nobody that a name leads there.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testFolder } from "../folder.ts";
import { root } from "../installed.ts";

const folder = testFolder();
writeFileSync(join(folder, "one.json"), '[{"vit_num":1,"token_num":2}]');

let url: URL;
let child: ReturnType<typeof spawn>;

beforeAll(async () => {
  child = spawn(process.execPath, [join(root, "dist/cli/main.js"), "studio", "-q", "one.json"], { cwd: folder });
  url = await new Promise((resolve, reject) => {
    child.stdout?.once("data", (text) => resolve(new URL(String(text).trim())));
    child.once("exit", (code) => reject(new Error(`ended with ${code}`)));
  });
});
afterAll(() => {
  child.kill("SIGKILL");
});

interface Got {
  readonly status: number | undefined;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

function get(path: string, host = url.host, method = "GET"): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: url.port, path, method, headers: { Host: host } }, (response) => {
      let text = "";
      response.on("data", (piece) => {
        text += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode, text, headers: response.headers }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("the address is of this machine alone", () => {
  expect(url.hostname).toBe("127.0.0.1");
});

test("the page is at /, and nothing is anywhere else", async () => {
  const { status, text, headers } = await get("/");
  expect([status, headers["content-type"], headers["cache-control"]]).toEqual([
    200,
    "text/html; charset=utf-8",
    "no-store",
  ]);
  expect(text).toContain("one.json");
  expect((await get("/", `localhost:${url.port}`)).status).toBe(200);
  expect((await get("/one.json")).status).toBe(404);
  expect((await get("/../one.json")).status).toBe(404);
  expect((await get("/", url.host, "POST")).status).toBe(405);
  expect((await get("/", url.host, "HEAD")).text).toBe("");
});

test.each(["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost"])(
  "a request for host %j is refused",
  async (host) => {
    const { status, text } = await get("/", host);
    expect(status).toBe(403);
    expect(text).not.toContain("one.json");
  },
);

test("Ctrl-C ends it", async () => {
  const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  // A connection that was kept alive is cut instead.
  await expect(get("/")).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
});
