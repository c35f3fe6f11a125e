"""Audacity 4: an extension with a small library, its installation, and the program that it starts."""
