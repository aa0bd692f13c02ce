// The ten lines of docs/compare.md that log times in PyTorch, run by PyTorch, and what `fit` makes of the log.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { fitCost } from "../../src/compare/fit/fit.ts";
import { readLog } from "../../src/compare/fit/log.ts";
import { testFolder } from "../folder.ts";
import { runs } from "../hosts/host.ts";
import { python } from "../hosts/wasmtime.ts";
import { whenThere } from "../hosts/when-there.ts";

const missing = runs(python, ["-c", "import torch"])
  ? undefined
  : "torch is not there: .venv/bin/pip install -r tests/model/requirements.txt";
const folder = testFolder();

whenThere(missing)("the recipe of docs/compare.md logs what fit reads", async () => {
  const page = readFileSync(new URL("../../docs/compare.md", import.meta.url), "utf8");
  const [, recipe] = /^```py\n(.*?)^```$/ms.exec(page) ?? [];
  expect(recipe.trimEnd().split("\n").length).toBeLessThanOrEqual(11);
  const program = `import json, time, torch
rank = 0
${recipe}
torch.manual_seed(0)
encoder, model = torch.nn.Linear(256, 256), torch.nn.Linear(64, 64)
for i in range(120):
    vit, tokens = i % 7, [8 + (13 * i + 5 * k) % 90 for k in range(1 + i % 4)]
    pixels, text = torch.randn(max(vit, 1) * 64, 256), torch.randn(sum(tokens), 64)
    timed(lambda: (encoder(pixels).square().mean() + model(text).square().mean()).backward(), vit, tokens)
log.close()
`;
  execFileSync(python, ["-c", program], { cwd: folder });
  const log = await readLog(join(folder, "times-0.jsonl"));
  expect(log).toHaveLength(120);
  const tokens = [8 + ((13 * 9) % 90), 8 + ((13 * 9 + 5) % 90)];
  expect(log[9]).toMatchObject({
    vit: 2,
    tokens: tokens[0] + tokens[1],
    "tokens^2": tokens[0] ** 2 + tokens[1] ** 2,
    ms: expect.any(Number),
  });
  const { cost, rows } = fitCost(log);
  expect([rows, Object.keys(cost)]).toEqual([120, ["vit", "tokens", "tokens^2", "group"]]);
  expect(Object.values(cost).every((value) => value >= 0)).toBe(true);
});
