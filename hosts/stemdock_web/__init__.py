"""A local web page that separates songs, plays their stems while that goes on, and exports them."""
