"""Readers under any input: hypothesis in every run of the tests, atheris under the marker `fuzz`."""
