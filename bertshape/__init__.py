"""What comes out of a BERT checkpoint, in which shape, and why."""

__version__ = "0.1.0"
