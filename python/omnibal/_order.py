"""Groups in the order of a plan, for trainers that deal a list of packs out themselves, unshuffled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ._errors import OptionError
from ._folder import EpochFolder, PathLike, epochs_of


def plan_order_packs(folder: PathLike, epochs: int | None = None) -> list[NDArray[np.int64]]:
    """The samples of each group in plan order: pack k goes to rank k % R, at step k // (R x m), as micro-batch k // R % m.

    So a sampler that takes every R-th pack, as `DistributedSampler(shuffle=False)` does, follows the plan. The packs of
    several epochs stand one after another: trained as one long epoch. Views of the mapped file, not copies.

    epochs: how many of the folder's, from its first on; default all. Raises OptionError for a plan with short steps.
    """
    there = epochs_of(Path(folder))
    if epochs is not None and not 1 <= epochs <= len(there):
        raise OptionError("INVALID_OPTION", f"epochs is {epochs}, expected 1 to {len(there)}, what {folder} has")
    packs: list[NDArray[np.int64]] = []
    for path in list(there.values())[:epochs]:
        epoch = EpochFolder(path)
        steps, ranks, size = epoch.order.shape
        if steps and int(epoch.order.min()) < 0:
            raise OptionError("INVALID_OPTION", f"{path} has short steps: plan it with another --tail")
        if epoch.made.get("spSize", 1) > 1:
            raise OptionError("INVALID_OPTION", f"{path} is for sequence parallelism: packs in a row cannot follow it")
        groups = epoch.order.transpose(0, 2, 1).ravel()
        starts, ends = epoch.offsets[groups].tolist(), epoch.offsets[groups + 1].tolist()
        packs.extend(epoch.indices[start:end] for start, end in zip(starts, ends))
    return packs
