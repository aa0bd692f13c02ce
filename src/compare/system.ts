import type { Epoch } from "./epoch.ts";
import type { Scene } from "./scene.ts";

/** A way to get from samples to steps. A new one is a file that exports one, and a line in systems.ts. */
export interface System {
  /** What `systems` and `--systems` call it. */
  readonly name: string;
  /** What a table calls it: at most 28 columns. */
  readonly title: string;
  /** What it does, and who ships it. */
  readonly about: string;
  /** It is compared unless others are asked for. */
  readonly usual: boolean;
  /** It is omnibal's own, with its bounds kept and a plan: what a user would run. */
  readonly own?: boolean;
  /** An epoch of all samples of the scene. */
  run(scene: Scene): Epoch;
}
