"""bertshape.toml: read, written, matched."""
