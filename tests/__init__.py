"""Tests of bertshape."""
