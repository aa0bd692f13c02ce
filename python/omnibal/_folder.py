"""Folders that hold a plan, as docs/formats.md describes them: read in place, memory-mapped, and written by Python alike."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError, show

PathLike = Union[str, "os.PathLike[str]"]

EPOCH = re.compile(r"epoch-(\d+)")
VERSION = 1
"""Of the record `made`: a higher one is refused."""


def _where(folder: Path, name: str) -> Path:
    """Where a file of the folder is. While the folder is being replaced, commit.json says which files are the new ones."""
    try:
        commit = json.loads((folder / "commit.json").read_bytes())
        moved = folder / commit["work"] / name if name in commit["files"] else None
    except FileNotFoundError:
        return folder / name
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("INVALID_FILE", f"{folder / 'commit.json'}: not written by omnibal") from error
    return moved if moved is not None and moved.exists() else folder / name


def load_array(folder: Path, name: str, dimensions: int) -> NDArray[Any]:
    """A file of whole numbers, memory-mapped."""
    path = _where(folder, name)
    try:
        # An empty array has nothing to map.
        array: NDArray[Any] = np.load(path, mmap_mode="r") if path.stat().st_size > 128 else np.load(path)
    except FileNotFoundError:
        raise InputError("INVALID_FILE", f"{path} is not there: write the folder with `omnibal plan ... -o`") from None
    except (ValueError, OSError) as error:
        raise InputError("INVALID_FILE", f"{path}: {error}") from error
    if array.ndim != dimensions or array.dtype.kind not in "iu":
        seen = f"{array.dtype} of {array.ndim} dimensions"
        raise InputError("INVALID_FILE", f"{path}: {seen}, expected whole numbers of {dimensions}")
    return array


class EpochFolder:
    """One epoch: `order[step, rank]` are groups, group g is `indices[offsets[g]:offsets[g + 1]]`. Nothing is copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.order = load_array(folder, "plan.npy", 3)
        self.offsets = load_array(folder, "offsets.npy", 1)
        self.indices = load_array(folder, "indices.npy", 1)
        self.oversize = load_array(folder, "oversize.npy", 1) if _where(folder, "oversize.npy").exists() else None
        if len(self.offsets) == 0 or self.offsets[-1] != len(self.indices):
            last = self.offsets[-1] if len(self.offsets) else None
            raise InputError(
                "INVALID_FILE", f"{folder}: the last offset is {show(last)}, there are {len(self.indices)} indices"
            )
        self.made = self._made()

    def _made(self) -> dict[str, Any]:
        """What the plan was made of. That of another tool has no record: hashes of its files stand in."""
        path = _where(self.folder, "plan.json")
        try:
            made = json.loads(path.read_bytes()).get("made") if path.exists() else None
        except (ValueError, AttributeError) as error:
            raise InputError("INVALID_FILE", f"{path}: not JSON of a plan: {error}") from error
        if made is None:
            digest = hashlib.sha256()
            for array in (self.order, self.offsets, self.indices):
                digest.update(np.ascontiguousarray(array, "<i8").tobytes())
            return {"sha256": digest.hexdigest(), "groups": [len(self.offsets) - 1]}
        if not isinstance(made, dict) or not made.get("version", 0) <= VERSION:
            version = made.get("version") if isinstance(made, dict) else made
            text = f"{path}: made has version {show(version)}, expected at most {VERSION}: update omnibal"
            raise InputError("INVALID_FILE", text)
        return made


def epochs_of(folder: Path) -> dict[int, Path]:
    """The epochs that a folder has: itself, or its subfolders `epoch-0`, `epoch-1`, ..."""
    if not folder.is_dir():
        raise InputError("INVALID_FILE", f"{folder} is no folder: write it with `omnibal plan ... -o {folder}`")
    found = {int(m[1]): path for path in folder.iterdir() if (m := EPOCH.fullmatch(path.name))}
    if found:
        return dict(sorted(found.items()))
    if not _where(folder, "plan.npy").exists():
        raise InputError("INVALID_FILE", f"{folder} has no plan.npy: write it with `omnibal plan ... -o {folder}`")
    return {int(EpochFolder(folder).made.get("epoch", 0)): folder}
