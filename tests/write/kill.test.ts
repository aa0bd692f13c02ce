// A run that is killed at any moment leaves the old OUT or the new one, whole as our readers read it; the next run puts
// away what it left. `npm run test:kill` does this at every call that changes the disk and at hundreds of random moments.
import { afterAll, expect, test } from "vitest";
import { testFolder } from "../folder.ts";
import { type Before, isFolder, KINDS, random, Scene } from "./killing.ts";

const scene = await Scene.make(testFolder(), 2000);
afterAll(() => scene.remove());
const draw = random(20);

test.each(KINDS)("$command --format $format, killed before each of some calls", async (kind) => {
  const starts: Before[] = isFolder(kind) ? ["old", "nothing", "old"] : ["old", "nothing"];
  for (const before of starts) {
    const out = await scene.begin(kind, before);
    const calls = isFolder(kind) ? (before === "old" ? 34 : 20) : 8;
    const at = 1 + Math.floor(draw() * calls);
    const { signal } = scene.run(scene.args(kind, "new", out), { CRASH_AT: String(at) });
    const state = await scene.state(kind, out);
    if (signal === "SIGKILL") expect([before, "new"]).toContain(state);
    else expect(state).toBe("new");
    scene.run(scene.args(kind, "new", out));
    expect([await scene.state(kind, out), scene.strange(kind, out)]).toEqual(["new", []]);
  }
});
