"""What several tests need: checkpoints, a loopback Hub, a terminal."""
