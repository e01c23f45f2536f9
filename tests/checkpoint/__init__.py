"""Tests of bertshape/checkpoint."""
