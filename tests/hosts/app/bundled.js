// esbuild leaves `new URL(..., import.meta.url)` as it is: the module comes as a file of the bundle.
import { load } from "omnibal";
import wasm from "omnibal/omnibal.wasm";
import { answerServer } from "./answer.js";

await answerServer(() => load(new URL(wasm, import.meta.url)));
