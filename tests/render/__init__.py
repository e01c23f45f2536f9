"""Tests of bertshape/render."""
