"""Stemdock's part in an editor: files and edits, made all or not at all, recorded, and undone to the byte."""
