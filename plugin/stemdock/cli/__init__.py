"""plugin-cli: the command line, a plug-in like every other."""
