"""A process in the background that has imported everything, and copies itself for each `separate`."""
