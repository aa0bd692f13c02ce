"""The module in this process: compiled once, with an instance of its own for each call.

An instance takes 0.2 ms to make. In return calls share nothing, so threads need no lock, and their memory goes back to
the system when they end.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import EngineError, show

WASM = Path(__file__).with_name("omnibal.wasm")
"""The module, the same bytes as in every other host."""

ABI_VERSION = 1
OK, OUT_OF_MEMORY, BAD_ARGUMENT = 0, 1, 2
NO_SUCH_FUNCTION = 52

_lock = threading.Lock()
_compiled: tuple[Any, Any] | None = None
_inherited: list[Any] = []


def _forget_parents() -> None:
    """In a forked child: compiles anew when it is first needed. What the parent compiled is left alone, not freed."""
    global _compiled, _lock
    _lock = threading.Lock()
    _inherited.append(_compiled)
    _compiled = None


def _drop() -> None:
    """At exit, while wasmtime can still free it: later it complains on standard error."""
    global _compiled
    _compiled = None
    _inherited.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)
atexit.register(_drop)


def _module() -> tuple[Any, Any]:
    """This process's engine and module."""
    global _compiled
    with _lock:
        if _compiled is None:
            try:
                import wasmtime
            except ImportError as error:
                raise EngineError(
                    "LOAD_FAILED", f"wasmtime cannot be imported ({error}): pip install wasmtime"
                ) from error
            if not WASM.exists():
                raise EngineError(
                    "LOAD_FAILED",
                    f"{WASM} is not there: install the wheel, or run `npm run build` where the package is a checkout",
                )
            config = wasmtime.Config()
            # Compile threads do not survive a fork: a child would wait for them for ever. It costs 35 ms, once.
            config.parallel_compilation = False
            engine = wasmtime.Engine(config)
            _compiled = engine, wasmtime.Module(engine, WASM.read_bytes())
        return _compiled


class Instance:
    """An instance of the module: its exports by name, and its memory. For one thread."""

    def __init__(self) -> None:
        engine, module = _module()
        import wasmtime

        self._store = store = wasmtime.Store(engine)
        linker = wasmtime.Linker(engine)
        # Only the module's command calls its imports; the library's part never does.
        for wanted in module.imports:
            linker.define_func(wanted.module, wanted.name or "", wanted.type, lambda *_: NO_SUCH_FUNCTION)
        exports: Any = linker.instantiate(store, module).exports(store)
        self._exports, self._memory = exports, exports["memory"]
        version = self.call("abiVersion")
        if version != ABI_VERSION:
            raise EngineError(
                "LOAD_FAILED",
                f"the module has ABI version {version}, this package needs {ABI_VERSION}: "
                "load the omnibal.wasm that came with it",
            )

    def call(self, name: str, *args: int | float) -> Any:
        """Calls an export. A u32 goes in as the i32 of the same bits, a float as it is."""
        bits = (x if isinstance(x, float) else (x & 0xFFFFFFFF ^ 1 << 31) - (1 << 31) for x in args)
        try:
            return self._exports[name](self._store, *bits)
        except Exception as error:
            if type(error).__name__ in ("Trap", "WasmtimeError"):
                raise EngineError("TRAP", f"the core has trapped: {str(error).splitlines()[-1]}") from error
            raise

    def address(self, name: str, *args: int | float) -> int:
        """Calls an export that returns an address, or a handle."""
        return int(self.call(name, *args)) & 0xFFFFFFFF

    def alloc(self, size: int, samples: int) -> int:
        """Room for `size` bytes. `samples` is for the message."""
        at = 0 if size > 0xFFFFFFFF else self.address("alloc", size)
        if at == 0:
            raise out_of_memory(samples)
        return at

    def view(self, at: int, count: int, dtype: Any) -> NDArray[Any]:
        """`count` numbers at `at`, in place: of use until the memory grows, that is until the next call that allocates."""
        kind = np.dtype(dtype)
        start = ctypes.addressof(self._memory.data_ptr(self._store).contents) + (at & 0xFFFFFFFF)
        if count == 0:
            return np.empty(0, kind)
        raw = (ctypes.c_ubyte * (count * kind.itemsize)).from_address(start)
        return np.frombuffer(raw, kind)

    def take(self, at: int, count: int, dtype: Any) -> NDArray[Any]:
        """The same, copied out."""
        return self.view(at, count, dtype).copy()

    def put(self, values: Any, dtype: Any, samples: int = 0) -> int:
        """Copies numbers in; returns where they are."""
        array = np.asarray(values)
        at = self.alloc(max(array.size, 1) * np.dtype(dtype).itemsize, samples or array.size)
        self.view(at, array.size, dtype)[:] = array
        return at

    def check(self, status: int, samples: int) -> None:
        """Raises what a status means, if it is not 0."""
        if status == OK:
            return
        if status == OUT_OF_MEMORY:
            raise out_of_memory(samples)
        if status == BAD_ARGUMENT:
            raise EngineError("LOAD_FAILED", "the core refused an argument that had passed the checks before it")
        raise EngineError(
            "LOAD_FAILED", f"the core returned {show(status)}: module and package are of different versions"
        )


def out_of_memory(samples: int) -> EngineError:
    """The error for a memory that cannot hold `samples`."""
    return EngineError(
        "OUT_OF_MEMORY",
        f"{samples} samples do not fit: a WebAssembly memory ends at 4 GiB, about 170 million samples",
    )
