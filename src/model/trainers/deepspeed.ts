import type { Trainer } from "./handover.ts";

/** [3, 4, 5, 9] as Python's `{*range(3, 6), 9}`. */
function pythonSet(values: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < values.length; ) {
    let end = i + 1;
    while (end < values.length && values[end] === values[end - 1] + 1) end++;
    parts.push(end - i > 2 ? `*range(${values[i]}, ${values[end - 1] + 1})` : values.slice(i, end).join(", "));
    i = end;
  }
  return parts.length === 0 ? "set()" : `{${parts.join(", ")}}`;
}

export const deepspeed: Trainer = {
  name: "deepspeed",
  about: "DeepSpeed: a PipelineModule that cuts and recomputes as planned",
  write({ plan, profile }) {
    const { shape, cuts, stages } = plan;
    if (shape.schedule !== "1f1b") {
      return { text: "", notes: ["DeepSpeed's pipeline engine runs 1F1B alone: plan for 1f1b"] };
    }
    const recomputed = stages.flatMap((stage) => stage.recomputed);
    const text = `from deepspeed.pipe import PipelineModule


class PlannedPipelineModule(PipelineModule):
    """Pass activation_checkpoint_interval=1: each layer is then asked for by itself."""

    PARTS = [${[0, ...cuts, profile.layers.length].join(", ")}]
    RECOMPUTED = ${pythonSet(recomputed)}

    def _partition_layers(self, method="uniform"):
        stage = self._topo.get_coord(self.global_rank).pipe
        self.parts = list(self.PARTS)
        self._set_bounds(start=self.parts[stage], stop=self.parts[stage + 1])

    def _is_checkpointable(self, funcs):
        return self._local_start + self.forward_funcs.index(funcs[0]) in self.RECOMPUTED
`;
    return { text, notes: [`its list of layers must be that of the profile: ${profile.layers.length} of them`] };
  },
};
