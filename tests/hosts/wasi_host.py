"""Runs the module's WASI command by wasmtime, once per case (wasi.ts), and prints how each run ended. Argument: module."""

import base64
import json
import os
import sys
import tempfile

from wasmtime import Engine, ExitTrap, Linker, Module, Store, Trap, WasiConfig


def content(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


def run(engine, module, case, out, err):
    config = WasiConfig()
    config.argv = ["omnibal.wasm", *case["args"]]
    config.stdin_file = case.get("input", os.devnull)
    config.stdout_file, config.stderr_file = out, err
    for guest, folder in case.get("folders", {}).items():
        config.preopen_dir(folder, guest)
    store, linker = Store(engine), Linker(engine)
    store.set_limits(memory_size=case.get("memory", -1))
    store.set_wasi(config)
    linker.define_wasi()
    try:
        linker.instantiate(store, module).exports(store)["_start"](store)
        return 0
    except ExitTrap as ended:
        return ended.code
    except Trap as trap:
        return str(trap)


def main(wasm, cases):
    engine = Engine()
    module = Module.from_file(engine, wasm)
    with tempfile.TemporaryDirectory() as folder:
        ends = []
        for case in cases:
            out, err = os.path.join(folder, "out"), os.path.join(folder, "err")
            code = run(engine, module, case, out, err)
            ends.append({"code": code, "out": content(out), "err": content(err)})
    print(json.dumps(ends))


main(sys.argv[1], json.load(sys.stdin))
