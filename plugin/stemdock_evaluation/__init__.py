"""How good separations are, measured on songs whose true stems are known."""
