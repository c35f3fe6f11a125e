"""Batches in actors of Ray, on this machine or on a cluster."""
