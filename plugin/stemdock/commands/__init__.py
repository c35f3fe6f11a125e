"""The core's subcommands, one module each, with the click command under the name `command`."""
