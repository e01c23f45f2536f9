"""`python -m bertshape`."""

from bertshape.cli.main import main

if __name__ == "__main__":
    main()
