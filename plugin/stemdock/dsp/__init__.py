"""The numbers: numpy and scipy.fft only."""
