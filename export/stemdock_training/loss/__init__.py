"""The network in training: its variables, its loss, and one step of Adam."""
