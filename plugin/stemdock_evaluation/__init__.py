"""Measures separation quality on songs whose true stems are known."""
