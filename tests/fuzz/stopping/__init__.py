"""Stops work by SIGKILL and by power cuts on a simulated disk, does it again, and compares the results."""
