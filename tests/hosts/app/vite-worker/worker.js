import { load } from "omnibal";
import { answerServer } from "../answer.js";

// No top-level await: Vite's workers are classic scripts unless it is told otherwise.
answerServer(() => load());
