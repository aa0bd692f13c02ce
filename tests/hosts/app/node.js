import { load } from "omnibal";
import { answer } from "./answer.js";

const question = JSON.parse(process.argv[2]);
console.log(JSON.stringify(await answer(question, load, `Node ${process.versions.node}`)));
