"""A file in, files out, all or nothing."""
