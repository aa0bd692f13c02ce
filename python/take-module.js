// Puts the module into the Python package, byte for byte: `npm run build` ends with it.
import { copyFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
copyFileSync(here("../build/omnibal.wasm"), here("omnibal/omnibal.wasm"));
