"""Loads of samples: a column of whole numbers for each load, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._errors import InputError, show
from ._options import MAX_INT32, MOST_LOAD

Column = Union[NDArray[np.int32], NDArray[np.float64]]
"""Whole numbers from 0 to 2^53 - 1, one per sample: int32 where all fit, else float64."""

LengthsInput = Union[Mapping[str, ArrayLike], NDArray[Any], Any]
"""What has a column for each load under its name: a dict of arrays, a data frame, a table, a structured array."""

FIELDS = {"vit": "vit_num", "tokens": "token_num"}
"""The fields that a load is read from where its own name is not there."""


def invalid_length(field: str, index: int, seen: object, most: int = MOST_LOAD) -> InputError:
    """The error for a load that is no whole number in its range."""
    return InputError(
        "INVALID_LENGTH", f"index {index}: {field} is {show(seen)}, expected a whole number from 0 to {most}"
    )


def column(field: str, values: Any) -> Column:
    """One load of all samples, checked. O(samples); an int32 array is not copied.

    Raises InputError INVALID_LENGTH with the index of the first value that is no load, or INVALID_INPUT.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        array = np.empty(0, object)
    if array.ndim == 1 and array.size == 0:
        return np.zeros(0, np.int32)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise InputError("INVALID_INPUT", f"{field} is {show(values)}, expected an array of numbers")
    if array.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            bad = ~((array >= 0) & (array <= MOST_LOAD) & (np.floor(array) == array))
    elif array.min() >= 0 and array.max() <= MOST_LOAD:
        bad = None
    else:
        bad = (array < 0) | (array > MOST_LOAD)
    if bad is not None and bad.any():
        index = int(np.argmax(bad))
        raise invalid_length(field, index, array[index])
    if array.max() <= MAX_INT32:
        return np.ascontiguousarray(array, np.int32)
    return np.ascontiguousarray(array, np.float64)


def _names(lengths: Any) -> list[str]:
    """The names of the columns of `lengths`."""
    if isinstance(lengths, np.ndarray) and lengths.dtype.names:
        return list(lengths.dtype.names)
    for attribute in ("column_names", "keys"):
        names = getattr(lengths, attribute, None)
        if names is not None and hasattr(lengths, "__getitem__"):
            return [str(name) for name in (names() if callable(names) else names)]
    raise InputError("INVALID_INPUT", f"lengths are {show(lengths)}, expected a column for each load, by its name")


def columns(lengths: LengthsInput, wanted: list[str]) -> dict[str, Column]:
    """The loads that are wanted, checked. `NAME^2` is the square of each sample's value, `attention` is `tokens^2`."""
    names = _names(lengths)
    found: dict[str, Column] = {}
    for load in wanted:
        own = next((name for name in (load, FIELDS.get(load)) if name in names), None)
        if own is not None:
            found[load] = column(own, lengths[own])
            continue
        root = "tokens" if load == "attention" else load.removesuffix("^2") if load.endswith("^2") else None
        if root is None:
            there = ", ".join(names) or "none"
            raise InputError("MISSING_FIELD", f"lengths have no {show(load)}, there are {there}")
        base = columns(lengths, [root])[root]
        found[load] = column(load, np.square(base, dtype=np.float64))
    sizes = {load: len(values) for load, values in found.items()}
    first = next(iter(sizes), "")
    for load, size in sizes.items():
        if size != sizes[first]:
            raise InputError(
                "LENGTH_MISMATCH",
                f"{first} has {sizes[first]} values and {load} {size}, expected one of each per sample",
            )
    return found
