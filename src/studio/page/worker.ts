// The worker behind the page: requests in, answers out.
import { Engine } from "./engine.ts";
import type { Answer, Request } from "./messages.ts";

interface Scope {
  postMessage(message: Answer, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
}

const scope = globalThis as unknown as Scope;
let engine: Engine | undefined;

scope.onmessage = ({ data }) => {
  if (data.kind === "open") {
    engine = new Engine(data.module, (answer, transfer = []) => scope.postMessage(answer, transfer));
  } else void engine?.answer(data);
};
