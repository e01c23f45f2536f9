"""Our answers against those of transformers and sentence-transformers, on folders that a generator makes."""
