"""Runs Stemdock and its tests with the Python of Windows, under wine: `./dev windows`."""
