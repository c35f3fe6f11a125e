"""The numbers: numpy and the transforms of scipy only."""
