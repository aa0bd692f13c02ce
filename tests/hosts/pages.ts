// The ways a browser comes by the module; each is a row per browser.
import { join } from "node:path";
import type { Report } from "./answer.ts";
import { appFolder, tool } from "./app.ts";
import type { Page } from "./server.ts";

export interface Way {
  readonly name: string;
  readonly compiled: Report["compiled"];
  page(): Promise<Page>;
}

export const WASM = "application/wasm";

async function plain(wasmType: string): Promise<Page> {
  return { folder: await appFolder(), path: "plain.html", wasmType };
}

export async function byEsbuild(path: string, entry = "bundled.js"): Promise<Page> {
  const folder = await appFolder();
  const flags = ["--bundle", "--format=esm", "--loader:.wasm=file", `--outdir=${join(folder, "esbuild")}`];
  await tool("esbuild", join(folder, entry), ...flags);
  return { folder, path, wasmType: WASM };
}

export async function byVite(app: string): Promise<Page> {
  const folder = join(await appFolder(), app);
  await tool("vite", "build", folder, "--logLevel", "warn");
  return { folder: join(folder, "dist"), path: "index.html", wasmType: WASM };
}

export const ways: readonly Way[] = [
  { name: "module script", compiled: "streaming", page: () => plain(WASM) },
  { name: "wrong type for the module", compiled: "bytes", page: () => plain("application/octet-stream") },
  { name: "esbuild", compiled: "streaming", page: () => byEsbuild("esbuild.html") },
  { name: "esbuild, in a worker", compiled: "streaming", page: () => byEsbuild("worker.html") },
  { name: "Vite", compiled: "streaming", page: () => byVite("vite") },
  { name: "Vite, in a worker", compiled: "streaming", page: () => byVite("vite-worker") },
];
