"""Report -> text. Pure functions: none of them prints, reads the environment or changes a report."""
