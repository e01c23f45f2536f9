"""Texts -> batches of tokens."""
