"""The job folder, through which an editor and the worker communicate."""
