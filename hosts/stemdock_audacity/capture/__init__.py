"""What is selected in Audacity: its audio, and the notes about it."""
