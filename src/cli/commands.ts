import type { Command } from "./command.ts";
import { compareCommand } from "./compare.ts";
import { evaluateCommand } from "./evaluate.ts";
import { fitCommand } from "./fit.ts";
import { measureCommand } from "./measure.ts";
import { modelCommand } from "./model.ts";
import { packCommand } from "./pack.ts";
import { planCommand } from "./plan.ts";
import { searchCommand } from "./search.ts";
import { statsCommand } from "./stats.ts";
import { studioCommand } from "./studio.ts";

/** What the command line does, as its help lists it. A new command is a file beside this one and a line here. */
export const commands: readonly Command[] = [
  measureCommand,
  statsCommand,
  compareCommand,
  fitCommand,
  searchCommand,
  packCommand,
  evaluateCommand,
  planCommand,
  modelCommand,
  studioCommand,
];
