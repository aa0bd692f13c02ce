"""Asks the trainers themselves what a hand-over means. Reads one JSON object, writes one."""

import json
import sys
import warnings

warnings.simplefilter("ignore")
asked = json.load(sys.stdin)
out = {}


def megatron(layout: str, ranks: int, layers: int) -> list:
    from megatron.core.transformer.pipeline_parallel_layer_layout import PipelineParallelLayerLayout

    parsed = PipelineParallelLayerLayout.from_str(layout, ranks)
    parsed.validate_layer_layout(layers, 0)
    return [[[kind.name for kind in chunk] for chunk in rank] for rank in parsed.layout]


def torchtitan(text: str) -> dict:
    from torchtitan.config.configs import ParallelismConfig
    from torchtitan.distributed.activation_checkpoint import FullAC
    from torch.distributed.pipelining.schedules import get_schedule_class

    given = eval(f"dict({text})", {"ParallelismConfig": ParallelismConfig, "FullAC": FullAC})
    parallelism = given["parallelism"]
    return {
        "schedule": get_schedule_class(parallelism.pipeline_parallel_schedule).__name__,
        "degree": parallelism.pipeline_parallel_degree,
        "parts": parallelism.module_fqns_per_model_part,
        "recompute": given["activation_checkpoint"] is not None,
    }


def automodel(text: str) -> dict:
    import yaml

    return yaml.safe_load(text)


def deepspeed(text: str, layers: int, stages: int) -> list:
    """Which layers each stage runs, and which of them through its checkpoint function."""
    from torch import nn

    scope: dict = {}
    exec(text, scope)
    cls = scope["PlannedPipelineModule"]
    seen = []
    for stage in range(stages):
        module = cls.__new__(cls)
        nn.Module.__init__(module)
        module.global_rank = stage
        module._topo = type("Topology", (), {"get_coord": lambda self, rank: type("Coord", (), {"pipe": rank})()})()
        module._partition_layers()
        ran: list[int] = []
        again: list[int] = []
        first, end = module._local_start, module._local_stop
        module.forward_funcs = [lambda x, l=l: (ran.append(l), x)[1] for l in range(first, end)]
        module.micro_offset, module.seed_layers, module.activation_checkpoint_interval = 0, False, 1

        def checkpoint(function, *inputs):
            before = len(ran)
            result = function(*inputs)
            again.extend(ran[before:])
            return result

        module.activation_checkpoint_func = checkpoint
        module.is_checkpointable_results, module.is_checkpointable_results_interval = [], None
        if hasattr(module, "_precompute_checkpointable_values"):
            module._precompute_checkpointable_values()
        module.forward(0)
        seen.append({"ran": ran, "again": again})
    return seen


def profile(folder: str) -> dict:
    sys.path.insert(0, folder)
    import torch
    from torch import nn
    from profile_model import measure

    torch.manual_seed(0)
    width, tokens = 64, 512
    block = lambda: nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
    model = nn.Sequential(nn.Embedding(100, width), block(), block(), nn.Linear(width, 100))
    ids = torch.randint(0, 100, (1, tokens))

    def step() -> None:
        model(ids).float().logsumexp(-1).sum().backward()

    kinds = ["embedding", "decoder", "decoder", "head"]
    layers = [(f"layers.{i}", kind, module) for i, (kind, module) in enumerate(zip(kinds, model))]
    return measure(layers, step, memory=1e9, bytes_per_second=1e9)


tests = {"megatron": megatron, "torchtitan": torchtitan, "automodel": automodel, "deepspeed": deepspeed, "profile": profile}
for name, arguments in asked.items():
    try:
        out[name] = [tests[name](*some) for some in arguments]
    except Exception as error:
        out[name] = {"error": f"{type(error).__name__}: {error}"}
json.dump(out, sys.stdout)
