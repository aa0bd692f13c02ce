"""A batch sampler that packs and plans by itself: on rank 0, once, for all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import EngineError, OptionError
from ._folder import PathLike, load_array
from ._lengths import LengthsInput, columns
from ._options import MAX_INT32, integer
from ._pack import Method, pack
from ._plan import GroupLoads, Tail, plan
from ._sampler import Batches, PlanBatchSampler, Source
from ._write import save

WAIT = 1800.0
"""Seconds that a rank waits for what rank 0 writes."""
POLL = 0.1

Arrays = Mapping[str, NDArray[Any]]


class _Alone:
    """One process: what is made is at hand."""

    def get(self, name: str, make: Any) -> Any:
        return make()


class _Shared:
    """A folder that every rank sees: rank 0 writes what is not there yet, the others map it."""

    def __init__(self, folder: Path, is_first: bool, wait: float) -> None:
        self._folder, self._is_first, self._wait = folder, is_first, wait

    def get(self, name: str, make: Any) -> Any:
        path = self._folder / name
        if self._is_first and not path.exists():
            self._write(path, make())
        end = time.monotonic() + self._wait
        while not path.exists():
            if time.monotonic() > end:
                raise EngineError(
                    "LOAD_FAILED",
                    f"{path} did not appear within {self._wait:g} s: rank 0 writes it where it was given the same lengths, "
                    "options and folder",
                )
            time.sleep(POLL)
        head = json.loads((path / "head.json").read_bytes())
        arrays = {key: load_array(path, f"{key}.npy", dimensions) for key, dimensions in head["arrays"].items()}
        return head["made"], arrays

    def _write(self, path: Path, made: tuple[Any, Arrays]) -> None:
        """A folder of arrays, which appears once it is whole."""
        head, arrays = made
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        draft.mkdir(parents=True)
        for key, array in arrays.items():
            save(draft / f"{key}.npy", array)
        texts = {"made": head, "arrays": {key: array.ndim for key, array in arrays.items()}}
        (draft / "head.json").write_text(json.dumps(texts), encoding="utf8")
        os.rename(draft, path)


class _Broadcast:
    """`torch.distributed`: rank 0 sends what it has made."""

    def __init__(self, is_first: bool) -> None:
        self._is_first = is_first

    def get(self, name: str, make: Any) -> Any:
        import torch.distributed as dist

        box: list[Any] = [None]
        if self._is_first:
            try:
                box = [make()]
            except Exception as error:  # the others would wait for ever
                box = [error]
        dist.broadcast_object_list(box, src=0)
        if isinstance(box[0], Exception):
            raise box[0]
        return box[0]


class _PackedSource(Source):
    """Groups and plans that rank 0 makes when they are first asked for."""

    def __init__(self, way: Any, packed: Any, made_plan: Any) -> None:
        self._way, self._make_plan = way, made_plan
        made, arrays = way.get("packing", packed)
        self.packing = made
        self.offsets, self.indices, self.oversize = (arrays[name] for name in ("offsets", "indices", "oversize"))
        self._loads = {name: arrays[name] for name in ("vit", "tokens", "attention")}
        self.basis = made["basis"]
        self._plans: dict[tuple[int, int], NDArray[Any]] = {}

    def prepare(self, epoch: int, ranks: int) -> None:
        """Plans an epoch: all ranks call it for the same epochs in the same order."""
        if (epoch, ranks) in self._plans:
            return
        _, arrays = self._way.get(f"epoch-{epoch}-of-{ranks}", lambda: self._make_plan(self._loads, epoch, ranks))
        self._plans = {(epoch, ranks): arrays["plan"]}

    def planned(self, epoch: int, ranks: int) -> NDArray[Any] | None:
        return self._plans.get((epoch, ranks))

    def loads(self) -> Mapping[str, NDArray[Any]]:
        return self._loads

    def __getstate__(self) -> dict[str, Any]:
        # What goes to a worker has its plan, and makes none.
        return {**self.__dict__, "_way": None, "_make_plan": None}


class GroupBatchSampler(PlanBatchSampler):
    """`PlanBatchSampler` without a folder: packs and plans by itself, on rank 0, for all ranks.

        sampler = GroupBatchSampler(lengths, rank, world_size, max_vit=9, max_tokens=4096, shared="/shared/plans")

    The groups are those of `pack`, the order that of `plan`, with the same options. The other ranks read what rank 0 wrote to
    `shared`, a folder that every rank sees, where a restart finds it again; without one they take it by `torch.distributed`,
    and making the sampler, `set_epoch` to another epoch, and `load_state_dict` are then calls that all ranks make alike.

    lengths: the samples' loads, as `pack` takes them; the same on every rank.
    shared: a folder; what is made for these lengths and options is put in a folder of its own in there, and stays.
    wait: seconds that a rank waits for rank 0's files.
    Samples beyond a bound are in no batch: `oversize` lists them, and rank 0 warns.
    """

    def __init__(
        self,
        lengths: LengthsInput,
        rank: int,
        world_size: int,
        *,
        max: Mapping[str, int] | None = None,  # noqa: A002
        max_vit: int | None = None,
        max_tokens: int | None = None,
        method: Method = "balanced",
        seed: int = 1024,
        micro_batch: int = 1,
        tail: Tail = "repeat",
        balance: Mapping[str, float] | None = None,
        batches: Batches = "step",
        shared: PathLike | None = None,
        wait: float = WAIT,
        **pack_options: Any,
    ) -> None:
        integer("rank", rank, 0, integer("world_size", world_size, 1, MAX_INT32) - 1)
        given = {"max": max, "max_vit": max_vit, "max_tokens": max_tokens, "method": method, "seed": seed}
        packing_options = {**given, **pack_options}
        plan_options: dict[str, Any] = {"micro_batch": micro_batch, "seed": seed, "tail": tail, "balance": balance}

        def packed() -> tuple[Any, Arrays]:
            packing = pack(lengths, **packing_options)
            # A plan of the first epoch says what states are compared by.
            made = plan(packing, ranks=world_size, **plan_options).made
            basis = {name: value for name, value in made.items() if name not in ("version", "epoch", "ranks")}
            zero = np.zeros(len(packing), np.float64)
            loads = {"vit": packing.loads.get("vit", zero), "tokens": packing.loads.get("tokens", zero)}
            loads["attention"] = zero if packing.attention is None else packing.attention
            arrays = {"offsets": packing.offsets, "indices": packing.indices, "oversize": packing.oversize, **loads}
            return {"basis": basis, "samples": packing.samples, "max": dict(packing.max)}, arrays

        def planned(loads: Mapping[str, NDArray[Any]], epoch: int, ranks: int) -> tuple[Any, Arrays]:
            own = plan(GroupLoads(**loads), ranks=ranks, epoch=epoch, **plan_options)
            return None, {"plan": own.order}

        way = _way(lengths, packing_options, plan_options, rank, world_size, shared, wait)
        source = _PackedSource(way, packed, planned)
        source.prepare(0, world_size)
        self._begin(source, rank, world_size, batches)
        if rank == 0 and len(source.oversize) > 0:
            first = ", ".join(map(str, source.oversize[:3])) + (", ..." if len(source.oversize) > 3 else "")
            warnings.warn(
                f"{len(source.oversize)} of {source.packing['samples']} samples in no group "
                f"({source.packing['max']}): {first}",
                stacklevel=2,
            )

    def set_epoch(self, epoch: int) -> None:
        """Before each epoch: plans it. For the current one it does nothing."""
        super().set_epoch(epoch)
        self._prepare()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `PlanBatchSampler.load_state_dict`; plans the epoch of the state."""
        source = self._source
        assert isinstance(source, _PackedSource)
        epoch = state.get("epoch")
        if isinstance(epoch, int):
            source.prepare(epoch, self.world_size)
        super().load_state_dict(state)

    def _prepare(self) -> None:
        source = self._source
        assert isinstance(source, _PackedSource)
        if not self._history:
            source.prepare(self.epoch, self.world_size)


def _way(
    lengths: LengthsInput,
    packing_options: Mapping[str, Any],
    plan_options: Mapping[str, Any],
    rank: int,
    world_size: int,
    shared: PathLike | None,
    wait: float,
) -> Any:
    """How what rank 0 makes comes to this rank."""
    if shared is not None:
        # Named by what it is made of: another run with other lengths or options reads none of it.
        digest = hashlib.sha256(json.dumps([packing_options, plan_options], sort_keys=True, default=str).encode())
        from ._pack import resolve_bounds

        own = {name: packing_options[name] for name in ("max_vit", "max_tokens")}
        bounds = resolve_bounds(packing_options["max"], **own, carry=packing_options.get("carry", ()))
        for name, values in columns(lengths, bounds.names).items():
            digest.update(f"{name} {len(values)} {values.dtype} ".encode())
            digest.update(values.tobytes())
        return _Shared(Path(shared) / f"omnibal-{digest.hexdigest()[:16]}", rank == 0, wait)
    if world_size == 1:
        return _Alone()
    try:
        import torch.distributed as dist

        is_there = dist.is_available() and dist.is_initialized()
    except ImportError:
        is_there = False
    if not is_there:
        raise OptionError(
            "INVALID_OPTION",
            f"{world_size} ranks have to share what rank 0 packs: give shared=..., a folder that they all see, or call "
            "torch.distributed.init_process_group first",
        )
    return _Broadcast(dist.get_rank() == 0)
