"""From config.json to an architecture, and from it to shapes, without running anything."""
