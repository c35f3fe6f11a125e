"""The connection to a running Audacity: mod-script-pipe."""
