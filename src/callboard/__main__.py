"""``python -m callboard``: the same as ``callboard``."""

import sys

from callboard.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
