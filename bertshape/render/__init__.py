"""Result -> text: pure functions; none of them prints, reads the environment or changes a report."""
