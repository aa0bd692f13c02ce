import { join } from "node:path";
import { appFolder } from "./app.ts";
import { askCommand, type Host } from "./host.ts";

export const node: readonly Host[] = [
  {
    name: "Node",
    missing: () => undefined,
    ask: async (question) => askCommand(process.execPath, [join(await appFolder(), "node.js")], question),
  },
];
