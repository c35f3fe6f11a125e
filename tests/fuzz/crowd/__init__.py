"""Two whole runs at once on one output, while processes are killed or the store is at fault."""
