"""Separating stems inside REAPER."""
