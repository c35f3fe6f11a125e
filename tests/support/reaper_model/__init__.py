"""A strict model of REAPER for the shipped script, and the scenes it is put through."""
