"""plugin-cli with the small model, as a program of its own that tests can kill.

Usage: python batch_driver.py MODEL_FOLDER ARGUMENT...
"""

from __future__ import annotations

import sys
from pathlib import Path

import stemdock_ray.plugin
from stemdock import Plugins
from stemdock.cli import builtin
from stemdock.cli.main import run

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from support.small_model import SmallPlugin

    model_folder, *arguments = sys.argv[1:]
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(stemdock_ray.plugin, "ray")
    plugins.register(SmallPlugin(Path(model_folder)), "small")
    sys.exit(run(arguments, plugins))
