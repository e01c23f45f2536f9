"""What the files of a checkpoint say: facts, no judgement."""
