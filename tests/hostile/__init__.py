"""A corpus of bad input, as tables: each row is an input, a command line, its exit code, and words of its message."""
