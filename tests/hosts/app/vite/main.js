import { load } from "omnibal";
import { answerServer } from "../answer.js";

await answerServer(() => load());
