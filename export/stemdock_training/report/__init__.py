"""What a person sees of a training: progress, curves, early results."""
