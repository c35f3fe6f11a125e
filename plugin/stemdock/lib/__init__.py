"""Small mechanisms, one copy each: files, names, locks, hashes. Nothing here knows audio or Stemdock."""
