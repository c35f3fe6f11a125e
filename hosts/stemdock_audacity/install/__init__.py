"""Menu items and settings in Audacity: made, undone, checked."""
