"""Benchmarks: whole processes, in turn, as ratios in one run. `python -m tests.benchmarks` runs them all.

They are no tests: nothing here is collected by pytest, and no test asserts a time.
"""
