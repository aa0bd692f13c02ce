// Starts the search's worker from its TypeScript source. What is packaged starts `parallel/worker.js` by itself.
import { Worker } from "node:worker_threads";
import type { WorkerLike } from "../src/index.ts";

export function startFromSource(): Worker & WorkerLike {
  const source = JSON.stringify(new URL("../src/workers/worker.ts", import.meta.url).href);
  // Loaders given to a process do not reach its worker threads on all versions of Node: this one registers its own.
  const code = `import("tsx/esm/api").then(({ register }) => { register(); return import(${source}); })`;
  return new Worker(code, { eval: true });
}
