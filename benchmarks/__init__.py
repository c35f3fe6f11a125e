"""Compares Stemdock with other programs that use Spleeter's models: `./dev bench`."""
