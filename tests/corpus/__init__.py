"""Tests of bertshape/corpus."""
