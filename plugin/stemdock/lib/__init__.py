"""Small mechanisms that know nothing of sound, one copy each."""
