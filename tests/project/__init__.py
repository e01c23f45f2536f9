"""Tests of the project as a whole: distribution, documentation, imports."""
