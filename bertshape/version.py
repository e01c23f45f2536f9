"""The version of the package. What asks for it does not import the package's public names."""

__version__ = "0.1.0"
