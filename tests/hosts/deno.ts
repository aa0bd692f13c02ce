// Deno, from the npm package that carries its binary. It may read the one file and has no other permission.
import { join } from "node:path";
import { appFolder, root } from "./app.ts";
import { askCommand, type Host, runs } from "./host.ts";

export const program = join(root, "node_modules/.bin/deno");

function row(name: string, script: string): Host {
  return {
    name,
    missing: () =>
      runs(program, ["--version"]) ? undefined : "Deno is not there: npm install --no-save deno brings its binary",
    async ask(question) {
      const folder = await appFolder();
      const wasm = join(folder, "node_modules/omnibal/build/omnibal.wasm");
      const flags = ["run", "--quiet", "--no-prompt", "--cached-only", `--allow-read=${wasm}`];
      return askCommand(program, [...flags, join(folder, script)], question, { DENO_NO_UPDATE_CHECK: "1" });
    },
  };
}

export const deno: readonly Host[] = [row("Deno", "deno.js"), row("Deno, without the facade", "deno-raw.js")];
