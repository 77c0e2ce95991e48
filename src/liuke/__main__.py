"""`python -m liuke` is `liuke`."""

from liuke.project.main import main

if __name__ == "__main__":
    main()
