"""Tests of bertshape/predict."""
