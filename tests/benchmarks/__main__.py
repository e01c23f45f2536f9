"""`python -m tests.benchmarks`: all of them."""

from tests.benchmarks import check

check.main()
