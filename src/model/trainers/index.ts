import { automodel } from "./automodel.ts";
import { deepspeed } from "./deepspeed.ts";
import type { Trainer } from "./handover.ts";
import { json } from "./json.ts";
import { megatron } from "./megatron.ts";
import { torchtitan } from "./torchtitan.ts";

export type { Handover, HandoverInput, Trainer } from "./handover.ts";

/** The training frameworks that a plan can be handed to. A new one is a file beside this one and a line here. */
export const trainers: readonly Trainer[] = [megatron, torchtitan, automodel, deepspeed, json];
