import { reportServer } from "../background.js";

await reportServer();
