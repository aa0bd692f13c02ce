// Files made to break the command line: each ends with one line and code 1, never with a stack trace.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { testFolder } from "../folder.ts";
import { npy } from "../npy-bytes.ts";
import { omnibal } from "./run.ts";

const folder = testFolder();
const deep = "[".repeat(1_000_000) + "]".repeat(1_000_000);
const array = npy([[0, 1]], { descr: "<i8", shape: "(2,)" });
writeFileSync(join(folder, "one.json"), '[{"vit_num":1,"token_num":2}]');
writeFileSync(join(folder, "packing.json"), "[[0]]");
mkdirSync(join(folder, "xtuner"));
for (const name of ["boundaries.npy", "samples.npy"]) writeFileSync(join(folder, "xtuner", name), array);
mkdirSync(join(folder, "plan"));
writeFileSync(join(folder, "plan/plan.npy"), npy([[0, 1]], { descr: "<i8", shape: "(1, 1, 2)" }));

type Case = readonly [name: string, content: string, args: readonly string[], why: string];
const plan = ["evaluate", "--packing=packing.json", "--plan=x", "one.json"];
const packed = ["evaluate", "--ranks=1", "--packing=x", "one.json"];
const xtuner = ["evaluate", "--ranks=1", "--packing=xtuner", "one.json"];
const planFolder = ["evaluate", "--packing=packing.json", "--plan=plan", "one.json"];

describe("values that cannot be made text", () => {
  test.each<Case>([
    ["x", '{"a":{"token_lengths":{"toString":1}}}', ["stats", "x"], 'token_lengths is {"toString":1}'],
    ["x", `{"a":{"token_lengths":${deep}}}`, ["stats", "x"], "token_lengths is [[[[...]]]]"],
    ["x", '{"ranks":{"toString":1},"steps":[]}', plan, 'ranks is {"toString":1}'],
    ["x", `{"ranks":${deep},"steps":[]}`, plan, "nested more than 512 deep"],
    ["x", `{"ranks":${deep.slice(999_900, -999_900)},"steps":[]}`, plan, "ranks is [[[[...]]]]"],
    ["x", '{"ranks":1,"steps":[[[0]]],"stats":{"spSize":{"toString":1}}}', plan, 'spSize is {"toString":1}'],
    ["x", `{"ranks":1,"steps":[[[0]]],"stats":{"microBatch":[[[[[[1]]]]]]}}`, plan, "microBatch is [[[[...]]]]"],
    ["x", `{"groups":[[0]],"stats":${deep}}`, packed, "nested more than 512 deep"],
    ["x", `{"groups":[[0]],"other":${deep}}`, packed, "nested more than 512 deep"],
    ["xtuner/paths.json", '[{"toString":1}]', xtuner, 'names {"toString":1}'],
    ["xtuner/paths.json", '{"toString":1}', xtuner, 'is {"toString":1}, expected a list of paths'],
    ["xtuner/paths.json", `[${deep.slice(999_900, -999_900)}]`, xtuner, "names [[[[...]]]]"],
    ["plan/plan.json", '{"stats":{"spSize":{"toString":1,"valueOf":2}}} ', planFolder, 'spSize is {"toString":1,'],
  ])("%s, case %#", (name, content, args, why) => {
    writeFileSync(join(folder, name), content);
    const { code, out, err } = omnibal(args, { cwd: folder });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^omnibal: .*\n$/);
    expect(err.length).toBeLessThan(300);
    expect(err).toContain(why);
  });
});
