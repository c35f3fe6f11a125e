"""The window that shows the progress of a job, for editors that cannot show it themselves."""
