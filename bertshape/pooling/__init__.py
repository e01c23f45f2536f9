"""From token vectors to one vector per text: strategies, each with a formula, axes, a source and a pure function."""
