"""Many songs: what they are, what is done already, and the run."""
