"""Measures a profile for `omnibal model plan`: time, activations and parameters of each layer, by PyTorch's hooks."""

import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks


def measure(
    layers: Sequence[tuple[str, str, nn.Module]],
    step: Callable[[], object],
    *,
    memory: float,
    bytes_per_second: float,
    latency_ms: float = 0.02,
    bytes_per_parameter: float = 18,
    repeats: int = 5,
) -> dict:
    """`layers`: (name, type, module) in the order of the forward pass; `step`: a forward and a backward of a typical
    micro-batch, nothing recomputed. Bytes per parameter: weight 2, gradient 4, Adam in float32 12, unless they are sharded.
    """
    weights = {p.untyped_storage().data_ptr() for _, _, module in layers for p in module.parameters()}
    seen = [{"forward": [], "backward": [], "saved": {}} for _ in layers]

    def now() -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter() * 1000

    def size(values: object) -> int:
        if isinstance(values, torch.Tensor):
            return values.nbytes
        return sum(map(size, values)) if isinstance(values, (tuple, list)) else 0

    def watch(layer: dict, module: nn.Module) -> list:
        def save(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                layer["saved"][storage.data_ptr()] = storage.nbytes()
            return tensor

        def before(*_: object) -> None:
            layer["saved"].clear()
            layer["saving"] = saved_tensors_hooks(save, lambda tensor: tensor)
            layer["saving"].__enter__()
            layer["start"] = now()

        def after(_: nn.Module, inputs: tuple, outputs: object) -> None:
            layer["forward"].append(now() - layer["start"])
            layer["saving"].__exit__(None, None, None)
            layer["input"], layer["output"] = size(inputs), size(outputs)

        return [
            module.register_forward_pre_hook(before),
            module.register_forward_hook(after),
            module.register_full_backward_pre_hook(lambda *_: layer.update(start=now())),
            module.register_full_backward_hook(lambda *_: layer["backward"].append(now() - layer["start"])),
        ]

    step()
    hooks = [hook for layer, (_, _, module) in zip(seen, layers) for hook in watch(layer, module)]
    for _ in range(repeats):
        step()
    for hook in hooks:
        hook.remove()
    rows = [
        {
            "name": name,
            "type": kind,
            "forwardMs": statistics.median(layer["forward"]),
            "backwardMs": statistics.median(layer["backward"] or [0]),
            "keptBytes": max(sum(layer["saved"].values()), layer["input"]),
            "recomputedBytes": layer["input"],
            "parameterBytes": sum(p.numel() for p in module.parameters()) * bytes_per_parameter,
            "outputBytes": layer["output"],
        }
        for layer, (name, kind, module) in zip(seen, layers)
    ]
    link = {"bytesPerSecond": bytes_per_second, "latencyMs": latency_ms}
    return {"format": "omnibal-profile", "version": 1, "device": {"memory": memory}, "link": link, "layers": rows}
