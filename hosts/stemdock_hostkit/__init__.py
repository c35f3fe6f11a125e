"""The kit of the hosts: what every connection to an audio editor needs, once.

An editor writes a job into a folder, and one worker for each user separates it: see `job.folder` for the
files, `client` for the calls, and `worker` for the process. The kit knows no editor.
"""
