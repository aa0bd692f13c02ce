// Needs --allow-read of the module, and nothing else: imports are free.
import { load } from "omnibal";
import { answer } from "./answer.js";

const question = JSON.parse(Deno.args[0]);
console.log(JSON.stringify(await answer(question, load, `Deno ${Deno.version.deno}`)));
