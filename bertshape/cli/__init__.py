"""The command line: options -> request -> exit code; it owns both consoles."""
