"""Tests of bertshape/tokens."""
