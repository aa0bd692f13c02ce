import { load } from "omnibal";
import { listen } from "../reader.js";

listen(await load());
