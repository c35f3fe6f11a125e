"""The running REAPER."""
