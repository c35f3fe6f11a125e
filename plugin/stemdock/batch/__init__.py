"""Separating many songs: finding them, skipping finished ones, running the rest."""
