"""The second look at a song: its structure, read without decoding it."""
