"""Tags of songs: the only package that imports tinytag."""
