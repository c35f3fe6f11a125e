"""`python -m stemdock.cli.warm` is the process in the background."""

from stemdock.cli.warm.serving import serve

serve()
