"""Tests of bertshape/soundness."""
