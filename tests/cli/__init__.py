"""Tests of bertshape/cli."""
