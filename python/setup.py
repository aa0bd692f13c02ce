"""Refuses to build a package without the module; pyproject.toml has all else."""

import sys
from pathlib import Path

from setuptools import setup

if not Path(__file__).with_name("omnibal").joinpath("omnibal.wasm").is_file():
    sys.exit(
        "omnibal/omnibal.wasm is not there. `npm ci && npm run build` in the repository compiles it and puts it there; "
        "then install again."
    )
setup()
