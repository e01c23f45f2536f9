"""What works without torch and transformers: run as it is, and in an environment that has neither."""
