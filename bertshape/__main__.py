"""`python -m bertshape`."""

from bertshape.cli import main

if __name__ == "__main__":
    main()
