// A worker of the pool: one instance of the core and the lengths, then one candidate after another.
import { measure } from "../candidate.ts";
import type { Lengths } from "../lengths.ts";
import { loadSync, type Omnibal } from "../omnibal.ts";
import type { Answer, Request } from "./pool.ts";

let omnibal: Omnibal | undefined;
let sets: readonly Lengths[] = [];

function answer(request: Request): Answer {
  try {
    if (request.kind === "open") {
      omnibal = loadSync(request.module);
      sets = request.sets;
      return { kind: "ready" };
    }
    return { kind: "done", id: request.id, measured: measure(omnibal!, sets[request.set], request.candidate) };
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return { kind: "failed", id: request.kind === "task" ? request.id : -1, name, message, code };
  }
}

interface WorkerScope {
  postMessage(message: Answer): void;
  addEventListener(type: "message", listen: (event: MessageEvent<Request>) => void): void;
}

// Browsers and Deno run it as a Web Worker; Node, as a worker thread, has no such scope.
if ("WorkerGlobalScope" in globalThis) {
  const scope = globalThis as unknown as WorkerScope;
  scope.addEventListener("message", (event) => scope.postMessage(answer(event.data)));
} else {
  const port = globalThis.process.getBuiltinModule("node:worker_threads").parentPort;
  port?.on("message", (request: Request) => port.postMessage(answer(request)));
}
