"""`python -m improvbox` is the command line."""

import sys

from improvbox.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
