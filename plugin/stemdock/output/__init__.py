"""Which files are written, where and how: values and decisions; nothing here opens a file."""
