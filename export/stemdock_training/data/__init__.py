"""Songs with known stems, from files on the disk to batches of magnitudes."""
