"""`wasmtime run [--dir FOLDER] MODULE ARGUMENT...`: PyPI's package carries the engine, but not its command line."""

import os
import sys

from wasmtime import Engine, ExitTrap, Linker, Module, Store, WasiConfig

args = sys.argv[1:]
config = WasiConfig()
while args[0] == "--dir":
    config.preopen_dir(args[1], args[1])
    args = args[2:]
config.argv = [os.path.basename(args[0]), *args[1:]]
config.inherit_stdin()
config.inherit_stdout()
config.inherit_stderr()

engine = Engine()
store, linker = Store(engine), Linker(engine)
store.set_wasi(config)
linker.define_wasi()
instance = linker.instantiate(store, Module.from_file(engine, args[0]))
try:
    instance.exports(store)["_start"](store)
except ExitTrap as ended:
    sys.exit(ended.code)
