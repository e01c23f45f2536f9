"""Tests of bertshape/report."""
