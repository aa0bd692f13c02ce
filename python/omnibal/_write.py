"""Writes plans as `omnibal plan -o` does: folders that every host and trainer reads."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import OmnibalError
from ._folder import PathLike
from ._options import MAX_UINT32, integer
from ._packing import Packing
from ._plan import Plan, plan

DECIMALS = 12
"""As many as the figures are good for."""

FIGURES = {"vit_dist": "vitDist", "token_dist": "tokenDist", "attention_dist": "attentionDist"}
FIGURES |= {"epoch_ms": "epochMs", "step_ms": "stepMs", "rank_idle": "rankIdle"}
"""What files call the figures of a plan whose names are of several words."""


def write_plan(folder: PathLike, packing: Packing, *, ranks: int, epochs: int = 1, epoch: int = 0, **options: Any) -> None:
    """Plans `epochs` epochs from `epoch` on, and writes a new folder for `PlanBatchSampler`.

    One epoch is `plan.npy`, `offsets.npy`, `indices.npy`, `oversize.npy` and `plan.json`; several are subfolders `epoch-0`,
    `epoch-1`, ... of that form. The folder appears once it is whole. options: those of `plan`.

    Raises OmnibalError INVALID_OUTPUT where the folder is there already, and what `plan` raises.
    """
    path = Path(folder)
    if path.exists():
        raise OmnibalError("INVALID_OUTPUT", f"{path} is there already, expected a new folder")
    draft = path.with_name(f".{path.name}.omnibal-{secrets.token_hex(8)}")
    count = integer("epochs", epochs, 1, MAX_UINT32)
    first: Path | None = None
    for number in range(epoch, epoch + count):
        made = plan(packing, ranks=ranks, epoch=number, **options)
        own = draft / f"epoch-{number}" if count > 1 else draft
        own.mkdir(parents=True)
        save(own / "plan.npy", made.order)
        head = {"ranks": made.ranks, "stats": _figures(made), "made": made.made}
        (own / "plan.json").write_text(json.dumps(head, separators=(",", ":")) + "\n", encoding="utf8")
        for name in ("offsets", "indices", "oversize"):
            if first is None:
                save(own / f"{name}.npy", getattr(packing, name))
            else:
                _same(first / f"{name}.npy", own / f"{name}.npy")
        first = first or own
    try:
        os.rename(draft, path)
    except OSError as error:
        text = f"{path} is there already: what was written is in {draft}"
        raise OmnibalError("INVALID_OUTPUT", text) from error


def save(path: Path, array: NDArray[Any]) -> None:
    """An array as all files have them: int64, little-endian, in C order."""
    np.save(path, np.ascontiguousarray(array, "<i8"))


def _same(path: Path, other: Path) -> None:
    """The same file in a second place, not a copy where links can be made."""
    try:
        os.link(path, other)
    except OSError:
        shutil.copyfile(path, other)


def _figures(made: Plan) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "microBatch": made.micro_batch,
        "spSize": made.sp_size,
        "epoch": made.epoch,
        "seed": made.seed,
        "tail": made.tail,
    }
    for name, value in asdict(made.stats).items():
        if value is None or name == "groups":
            continue
        rounded = np.round(value, DECIMALS)
        figures[FIGURES.get(name, name)] = rounded.tolist() if isinstance(value, (float, np.ndarray)) else value
    return figures
