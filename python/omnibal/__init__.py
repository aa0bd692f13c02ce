"""omnibal packs multimodal training samples into groups bounded on several loads, and deals the groups out to ranks evenly.

`pack` makes the groups, `plan` says which of them each rank trains on at each step; `search` finds bounds, `evaluate`
measures evenness, `Packer` packs a stream. They run the same WebAssembly module as every other host, by wasmtime.

`PlanBatchSampler` and `GroupBatchSampler` feed a trainer. `omnibal.accelerate`, `omnibal.transformers`, `omnibal.lightning`,
`omnibal.energon`, `omnibal.swift`, `omnibal.automodel` and `omnibal.torchtitan` fit them into one each.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._errors import EngineError, ErrorCode, InputError, OmnibalError, OptionError
from ._evaluate import evaluate
from ._order import plan_order_packs
from ._pack import LowerBounds, Progress, lower_bound, pack
from ._packing import Packing, PackingStats
from ._plan import Evaluation, GroupLoads, Plan, plan
from ._search import Row, SearchResult, search
from ._stream import Packer, StreamedGroups
from ._write import write_plan

if TYPE_CHECKING:
    from ._group_sampler import GroupBatchSampler
    from ._loader import PackedDataset, PlanDataLoader
    from ._sampler import PlanBatchSampler

_LAZY = {
    "GroupBatchSampler": "._group_sampler",
    "PackedDataset": "._loader",
    "PlanBatchSampler": "._sampler",
    "PlanDataLoader": "._loader",
}
"""What imports torch where it is there: only when it is asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name], __name__), name)


__version__ = "0.1.0"

__all__ = [
    "EngineError",
    "ErrorCode",
    "Evaluation",
    "GroupBatchSampler",
    "GroupLoads",
    "InputError",
    "LowerBounds",
    "OmnibalError",
    "OptionError",
    "PackedDataset",
    "Packer",
    "Packing",
    "PackingStats",
    "Plan",
    "PlanBatchSampler",
    "PlanDataLoader",
    "Progress",
    "Row",
    "SearchResult",
    "StreamedGroups",
    "evaluate",
    "lower_bound",
    "pack",
    "plan",
    "plan_order_packs",
    "search",
    "write_plan",
]
