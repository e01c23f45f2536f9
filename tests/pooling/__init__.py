"""Tests of bertshape/pooling."""
