"""The worker: one process for each user, which separates the jobs of all editors in order."""
