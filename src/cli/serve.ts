// One page on the loopback address, for the browser of who started it and for nobody else.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Served {
  /** Its address. */
  readonly url: string;
  readonly server: Server;
}

/**
 * Serves `page` at / on 127.0.0.1; port 0 takes a free one. Requests for another host are refused: a page of somebody
 * else's, whose name was made to lead here, would send those.
 */
export async function serveLoopback(page: string, port = 0): Promise<Served> {
  const bytes = Buffer.from(page);
  let hosts: readonly string[] = [];
  const server = createServer(({ method, url, headers }, response) => {
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Content-Security-Policy", "frame-ancestors 'none'");
    response.setHeader("Cache-Control", "no-store");
    if (!hosts.includes(headers.host ?? "")) return response.writeHead(403).end("another host\n");
    if (method !== "GET" && method !== "HEAD") return response.writeHead(405, { Allow: "GET, HEAD" }).end();
    if (url !== "/" && url?.startsWith("/?") !== true) return response.writeHead(404).end("nothing here\n");
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.setHeader("Content-Length", bytes.length);
    return response.end(method === "HEAD" ? undefined : bytes);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: own } = server.address() as AddressInfo;
  hosts = [`127.0.0.1:${own}`, `localhost:${own}`];
  return { url: `http://127.0.0.1:${own}/`, server };
}
