"""Ardour: separates the selected regions into stems, on tracks of the session."""
