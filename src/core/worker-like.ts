/** What is needed of a Web Worker or a worker thread. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  terminate(): unknown;
  addEventListener?(type: "message" | "error" | "messageerror", listen: (event: MessageEvent) => void): void;
  on?(type: "message" | "error" | "exit", listen: (value: unknown) => void): unknown;
}
