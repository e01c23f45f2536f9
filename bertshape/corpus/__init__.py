"""Texts from files of any kind; counts that add up."""
