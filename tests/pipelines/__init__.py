"""Tests of bertshape/pipelines."""
