// Builds the studio as one HTML file, dist/studio/studio.html: style, script, workers and the module are inside, and a
// policy that lets nothing else in and nothing out.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";
import { MODULE_ID } from "../report.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Everything in one file, which is named after the page. */
function oneFile(): Plugin {
  return {
    name: "omnibal-one-file",
    enforce: "post",
    generateBundle(_, bundle) {
      let style = "";
      let script = "";
      let page = "";
      for (const [name, part] of Object.entries(bundle)) {
        if (part.type === "chunk" && part.isEntry) script = part.code;
        else if (part.type === "asset" && name.endsWith(".css")) style += String(part.source);
        else if (part.type === "asset" && name.endsWith(".html")) page = String(part.source);
        delete bundle[name];
      }
      if (page === "" || script === "" || style === "") throw new Error("the page, its script or its style is missing");
      // What would end the element is only ever in strings, where this is the same.
      script = script.trim().replaceAll("</script", "<\\/script");
      const policy = [
        "default-src 'none'",
        `script-src ${hash(script)} 'wasm-unsafe-eval'`,
        `style-src ${hash(style)}`,
        "worker-src blob:",
        "img-src data: blob:",
        "form-action 'none'",
        "base-uri 'none'",
      ].join("; ");
      const wasm = gzipSync(readFileSync(`${root}build/omnibal.wasm`), { level: 9 }).toString("base64");
      page = page
        .replaceAll(/<script type="module"[^>]*><\/script>\s*/g, "")
        .replaceAll(/<link rel="(?:stylesheet|modulepreload)"[^>]*>\s*/g, "")
        .replace(
          /<meta charset="utf-8" ?\/?>/,
          (own) => `${own}\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        )
        .replace("</head>", () => `  <style>${style}</style>\n  </head>`)
        .replace(`id="${MODULE_ID}">`, () => `id="${MODULE_ID}">${wasm}`)
        .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);
      this.emitFile({ type: "asset", fileName: "studio.html", source: page });
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  logLevel: "warn",
  plugins: [oneFile()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "iife", rolldownOptions: { output: { codeSplitting: false } } },
  build: {
    outDir: `${root}dist/studio`,
    // What the compiler has left beside it stays.
    emptyOutDir: false,
    cssCodeSplit: false,
    modulePreload: false,
    target: "es2022",
    rolldownOptions: { output: { codeSplitting: false } },
  },
});
