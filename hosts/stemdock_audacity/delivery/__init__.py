"""The way of the stems into the project."""
