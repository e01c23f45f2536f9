"""The commands from Python: what `import bertshape` offers, on the same pipelines."""
