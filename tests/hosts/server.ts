// The server that pages come from: static files, the question, and the report that the page sends back.
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Report } from "./answer.ts";

const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
const PATIENCE = 60_000;

export interface Page {
  /** The folder that is served. */
  readonly folder: string;
  /** The page's path in it. */
  readonly path: string;
  /** The type that the module is served with. */
  readonly wasmType: string;
}

type Special = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<boolean>;

/** Serves a folder on the loopback address; `special` may answer a path itself. */
export async function serve(
  folder: string,
  wasmType = "application/wasm",
  special: Special = async () => false,
): Promise<{ port: number; close(): void }> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (await special(request, response, path)) return;
    try {
      const bytes = await readFile(join(folder, path));
      const type = path.endsWith(".wasm") ? wasmType : TYPES[extname(path)];
      if (type !== undefined) response.setHeader("content-type", type);
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Opens the page in a browser, which `open` starts and returns a way to end, and waits for its report. */
export async function askPage<R extends object = Report>(
  page: Page,
  question: object,
  open: (url: string) => Promise<{ close(): Promise<void>; trouble(): string }>,
): Promise<R> {
  const asked: string[] = [];
  let settle: (report: R | { failed: string }) => void;
  const reported = new Promise<R | { failed: string }>((resolve) => {
    settle = resolve;
  });
  const { port, close } = await serve(page.folder, page.wasmType, async (request, response, path) => {
    asked.push(path);
    if (path === "/question") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(question));
    } else if (path === "/report") {
      let body = "";
      for await (const piece of request) body += piece;
      response.end();
      settle(JSON.parse(body));
    } else return false;
    return true;
  });
  const browser = await open(`http://127.0.0.1:${port}/${page.path}`);
  const timer = setTimeout(() => {
    settle({ failed: `no report in ${PATIENCE / 1000} s; asked for: ${asked.join(" ")}` });
  }, PATIENCE);
  try {
    const report = await reported;
    if ("failed" in report) throw new Error(`${page.path}: ${report.failed}\n${browser.trouble()}`);
    return report;
  } finally {
    clearTimeout(timer);
    await browser.close();
    close();
  }
}
