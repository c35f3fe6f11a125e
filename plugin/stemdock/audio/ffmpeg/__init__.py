"""Reading and writing by ffmpeg: the only package that runs it."""
