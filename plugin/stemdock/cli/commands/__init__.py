"""The core's own commands, each loaded when it is used."""
