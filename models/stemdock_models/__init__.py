"""The models that come with Stemdock: data and a plug-in that offers it."""
