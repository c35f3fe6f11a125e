"""Separating stems inside Audacity 3."""
