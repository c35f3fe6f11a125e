"""The Audacity of one user: where it is, and its settings."""
