"""Errors, as the other hosts raise them: a class for what is wrong, a code for programs, one printable line for people."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np

ErrorCode = Literal[
    "INVALID_LENGTH",
    "MISSING_FIELD",
    "LENGTH_MISMATCH",
    "INVALID_INPUT",
    "INVALID_FILE",
    "INVALID_STATE",
    "INVALID_OPTION",
    "INVALID_OUTPUT",
    "INFEASIBLE",
    "OUT_OF_MEMORY",
    "LOAD_FAILED",
    "TRAP",
]

# Code points that act on a terminal, break a line, reorder text or cannot be seen: the list of src/core/printable.ts.
UNPRINTABLE = (
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0x061C, 0x061C),
    (0x200B, 0x200B),
    (0x200E, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xD800, 0xDFFF),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE007F),
)

LONGEST = 40
"""The most characters that a value takes in a message."""


def printable(text: str) -> str:
    """`text` on one line and harmless to a terminal: what would act on one becomes an escape."""
    return "".join(_escaped(c) if any(a <= ord(c) <= b for a, b in UNPRINTABLE) else c for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\u{{{code:x}}}"


def show(value: object) -> str:
    """How a value is shown in a message: as it would be written in code, on one line, cut after 40 characters."""
    if isinstance(value, str):
        text = printable(json.dumps(value[: 2 * LONGEST], ensure_ascii=False))
    elif isinstance(value, np.ndarray):
        text = f"an array of {value.dtype}, shape {value.shape}"
        return text
    elif isinstance(value, np.generic):
        text = str(value)
    else:
        try:
            text = printable(repr(value))
        except Exception:
            return "a value that cannot be shown"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


class OmnibalError(Exception):
    """Base of all errors of this package."""

    code: ErrorCode
    """What went wrong, for programs."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(printable(message))
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, str(self))


class InputError(OmnibalError, ValueError):
    """Lengths, a folder or a state are not what they should be."""


class OptionError(OmnibalError, ValueError):
    """An option is out of its range, or of the wrong kind."""


class EngineError(OmnibalError, RuntimeError):
    """The module cannot do it: no memory is left, it could not be loaded, or it has trapped."""
