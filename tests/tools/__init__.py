"""Tools that write pages, pictures and drafts of families: `python -m tests.tools.NAME`."""
