"""Audacity 4 without Audacity: its interface to libraries, and a model of its interface to extensions."""
