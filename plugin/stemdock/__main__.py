"""`python -m stemdock` is plugin-cli, for where scripts are not on the PATH."""

from stemdock.cli.start import main

main()
