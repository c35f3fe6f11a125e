"""Stems in a project file, without REAPER."""
