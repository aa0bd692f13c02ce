"""Measures a profile for `omnibal model plan`: time, activations and parameters of each layer, one micro-batch at a time."""

import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import nn


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
    forward, backward = ([[] for _ in layers] for _ in range(2))
    kept: list[dict[int, int]] = [{} for _ in layers]
    sizes = [(0, 0)] * len(layers)
    weights = {p.untyped_storage().data_ptr() for _, _, module in layers for p in module.parameters()}
    hooks, began, open_hooks = [], {}, {}

    def now() -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter() * 1000

    def size(values: object) -> int:
        if isinstance(values, torch.Tensor):
            return values.nbytes
        return sum(map(size, values)) if isinstance(values, (tuple, list)) else 0

    def watch(i: int, module: nn.Module) -> None:
        def save(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                kept[i][storage.data_ptr()] = storage.nbytes()
            return tensor

        def before(_module: nn.Module, _inputs: tuple) -> None:
            kept[i].clear()
            open_hooks[i] = torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor)
            open_hooks[i].__enter__()
            began[i] = now()

        def after(_module: nn.Module, inputs: tuple, outputs: object) -> None:
            forward[i].append(now() - began[i])
            open_hooks.pop(i).__exit__(None, None, None)
            sizes[i] = (size(inputs), size(outputs))

        hooks.append(module.register_forward_pre_hook(before))
        hooks.append(module.register_forward_hook(after))
        hooks.append(module.register_full_backward_pre_hook(lambda *_: began.update({i: now()})))
        hooks.append(module.register_full_backward_hook(lambda *_: backward[i].append(now() - began[i])))

    step()
    for i, (_, _, module) in enumerate(layers):
        watch(i, module)
    for _ in range(repeats):
        step()
    for hook in hooks:
        hook.remove()
    return {
        "format": "omnibal-profile",
        "version": 1,
        "device": {"memory": memory},
        "link": {"bytesPerSecond": bytes_per_second, "latencyMs": latency_ms},
        "layers": [
            {
                "name": name,
                "type": kind,
                "forwardMs": statistics.median(forward[i]),
                "backwardMs": statistics.median(backward[i]) if backward[i] else 0,
                "keptBytes": max(sum(kept[i].values()), sizes[i][0]),
                "recomputedBytes": sizes[i][0],
                "parameterBytes": sum(p.numel() for p in module.parameters()) * bytes_per_parameter,
                "outputBytes": sizes[i][1],
            }
            for i, (name, kind, module) in enumerate(layers)
        ],
    }
