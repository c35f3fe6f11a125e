"""Stemdock in Audacity."""
