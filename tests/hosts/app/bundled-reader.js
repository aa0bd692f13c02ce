import { load } from "omnibal";
import wasm from "omnibal/omnibal.wasm";
import { listen } from "./reader.js";

listen(await load(new URL(wasm, import.meta.url)));
