"""plugin-cli with the small model, as a program of its own that tests can kill.

Usage: python batch_driver.py MODEL_FOLDER ARGUMENT...

With the variable DEADLY, a song of silence kills the process that separates it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import stemdock_ray.plugin
from stemdock import Plugins
from stemdock.cli import builtin
from stemdock.cli.main import run

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from support.small_model import DeadlySession, SmallPlugin

    model_folder, *arguments = sys.argv[1:]
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugin = SmallPlugin(Path(model_folder))
    if "DEADLY" in os.environ:
        plugin.session = DeadlySession()
    plugins.register(plugin, "small")
    plugins.register(stemdock_ray.plugin, "ray")
    sys.exit(run(arguments, plugins))
