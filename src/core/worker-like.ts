/** What is needed of a Web Worker or a worker thread. */
export interface WorkerLike {
  /** Sends a message to the worker. */
  postMessage(message: unknown): void;
  /** Ends the worker at once. */
  terminate(): unknown;
  /** Web Workers: listens to what it sends. */
  addEventListener?(type: "message" | "error" | "messageerror", listen: (event: MessageEvent) => void): void;
  /** Worker threads: the same. */
  on?(type: "message" | "error" | "exit", listen: (value: unknown) => void): unknown;
}
