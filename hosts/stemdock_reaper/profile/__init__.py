"""The REAPER of one user: where it is, and the words of its files."""
