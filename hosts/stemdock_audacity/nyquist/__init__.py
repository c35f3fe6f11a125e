"""The code that runs inside Audacity."""
