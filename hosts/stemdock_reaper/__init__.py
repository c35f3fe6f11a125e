"""Stemdock in REAPER."""
