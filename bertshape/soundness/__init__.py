"""Config, weights, tokenizer, head and chain checked against each other: findings."""
