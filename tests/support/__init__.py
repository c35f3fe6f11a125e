"""What several test modules use: generated mixtures, small models, servers and browsers."""
