"""Tests of bertshape/contract."""
