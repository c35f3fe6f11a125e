"""Spleeter's Python API, where its users look for it: the names of the package `stemdock_spleeter`.

Example:
    >>> from stemdock.spleeter import Separator
    >>> Separator("spleeter:2stems").separate_to_file("song.mp3", "stems")
"""

from stemdock_spleeter import *  # noqa: F403
