"""Loads of samples: a column of whole numbers for each load, by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._errors import InputError, show
from ._options import MAX_INT32, MOST_LOAD

Column = Union[NDArray[np.int32], NDArray[np.float64]]
"""Whole numbers from 0 to 2^53 - 1, one per sample: int32 where all fit, else float64."""

LengthsInput = Union[Mapping[str, ArrayLike], NDArray[Any], Any]
"""What has a column for each load under its name: a dict of arrays, a data frame, a table, a structured array."""

FIELDS = {"vit": ("vit", "vit_num"), "tokens": ("tokens", "token_num")}
"""Fields that a load is read from, the first of which counts that is there. Any other has the field of its own name."""
ALIASES = {"attention": "tokens^2"}
"""Names of loads that stand for another one."""
SQUARE = "^2"


def load_name(name: str) -> str:
    """The name of a load, where another name stands for it."""
    return ALIASES.get(name, name)


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


def _names(lengths: Any) -> list[str] | None:
    """The names of the columns of `lengths`; None for what has none."""
    if isinstance(lengths, np.ndarray):
        return list(lengths.dtype.names) if lengths.dtype.names else None
    for attribute in ("column_names", "keys"):
        names = getattr(lengths, attribute, None)
        if names is not None and hasattr(lengths, "__getitem__"):
            return [str(name) for name in (names() if callable(names) else names)]
    return None


def _from_records(records: Sequence[Any]) -> Mapping[str, Any]:
    """A column for each field of the first record, of a list of records."""
    first = records[0]
    if not isinstance(first, Mapping):
        raise InputError("INVALID_INPUT", f"index 0: {show(first)}, expected a record: a field for each load")
    found: dict[str, list[Any]] = {str(name): [] for name in first}
    for index, record in enumerate(records):
        for name, values in found.items():
            if not isinstance(record, Mapping) or name not in record:
                raise InputError("MISSING_FIELD", f"index {index}: {name} is missing")
            values.append(record[name])
    return found


def columns(lengths: LengthsInput, wanted: Sequence[str]) -> dict[str, Column]:
    """The loads that are wanted, checked, under these names. Raises InputError as `pack` does. O(samples)."""
    given: Any = _from_records(lengths) if isinstance(lengths, (list, tuple)) and lengths else lengths
    names = _names(given)

    def refuse() -> InputError:
        expected = ", ".join(wanted)
        return InputError(
            "INVALID_INPUT", f"lengths are {show(lengths)}, expected {{ {expected} }} or an array of records"
        )

    if names is None:
        raise refuse()
    found: dict[str, Column] = {}
    for asked in wanted:
        load = load_name(asked)
        field = next((name for name in FIELDS.get(load, (load,)) if name in names), None)
        if field is not None:
            found[asked] = column(load, given[field])
            continue
        root = load.removesuffix(SQUARE)
        field = next((name for name in FIELDS.get(root, (root,)) if name in names), None)
        if root == load or root == "" or field is None:
            raise refuse()
        found[asked] = column(load, np.square(column(root, given[field]), dtype=np.float64))
    sizes = {load: len(values) for load, values in found.items()}
    first = next(iter(sizes), "")
    for load, size in sizes.items():
        if size != sizes[first]:
            raise InputError(
                "LENGTH_MISMATCH",
                f"{first} has {sizes[first]} values and {load} {size}, expected one of each per sample",
            )
    return found


def base_loads(lengths: LengthsInput, wanted: Sequence[str]) -> list[str]:
    """The loads that these need, without squares of such that are there: `tokens` for `tokens^2`. No name stands twice."""
    first = lengths[0] if isinstance(lengths, (list, tuple)) and lengths else lengths
    names = _names(first) or []
    return list(dict.fromkeys(load if load in names else load.removesuffix(SQUARE) for load in map(load_name, wanted)))


def group_sums(values: Column, offsets: NDArray[Any], indices: NDArray[Any]) -> NDArray[np.float64]:
    """A column's sums inside each group, float64[groups]; exact up to 2^53. O(samples)."""
    if len(offsets) < 2:
        return np.zeros(0)
    return np.add.reduceat(values.take(indices).astype(np.float64), offsets[:-1])
