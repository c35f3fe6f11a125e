"""`python -m stemdock`: plugin-cli for programs that know the interpreter and not its PATH."""

from stemdock.cli import main

main()
