"""Tests of bertshape/run."""
