"""Scripts and actions in REAPER: made, undone, checked."""
