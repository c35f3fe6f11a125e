"""Reading and writing by libsndfile: wav, flac, mp3, ogg, opus and others."""
