"""Requests as jobs of the kit, and the folder that keeps them."""
