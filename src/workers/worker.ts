// What runs in a worker: one instance of the core and the lengths, then one candidate after another, or a packing, or a plan.
import { Core } from "../core/core.ts";
import { EngineError } from "../core/errors.ts";
import type { Lengths } from "../core/lengths.ts";
import type { PackProgress } from "../pack/options.ts";
import { pack } from "../pack/pack.ts";
import { plan } from "../plan/plan.ts";
import { tryCandidate } from "../search/try.ts";
import type { Answer, Request } from "./link.ts";

let core: Core | undefined;
let sets: readonly Lengths[] = [];

function answer(request: Request, post: (answer: Answer) => void): Answer {
  try {
    if (request.kind === "open") {
      core = Core.of(request.module);
      sets = request.sets;
      return { kind: "ready" };
    }
    if (request.kind === "pack") {
      const onProgress = (progress: PackProgress) => post({ kind: "progress", progress });
      return { kind: "packed", parts: pack(core!, sets[request.set], { ...request.options, onProgress }).parts };
    }
    if (request.kind === "plan") {
      return { kind: "planned", parts: { ...plan(core!, request.groups, request.options) } };
    }
    return { kind: "done", id: request.id, measured: tryCandidate(core!, sets[request.set], request.candidate) };
  } catch (thrown) {
    // A trap is an error of the engine's, which has no code: it gets ours, and keeps its text.
    const error =
      thrown instanceof WebAssembly.RuntimeError
        ? new EngineError("TRAP", `the core has trapped: ${thrown.message}`)
        : thrown;
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
  const post = (message: Answer) => scope.postMessage(message);
  scope.addEventListener("message", (event) => post(answer(event.data, post)));
} else {
  const port = globalThis.process.getBuiltinModule("node:worker_threads").parentPort;
  const post = (message: Answer) => port?.postMessage(message);
  port?.on("message", (request: Request) => post(answer(request, post)));
}
