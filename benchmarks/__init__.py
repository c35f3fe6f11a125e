"""Compares Stemdock with other programs that separate by Spleeter's models: `./dev bench`."""
