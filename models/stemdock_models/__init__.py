"""The plug-in that manages models: the ones that come with Stemdock, and the store of installed ones."""
