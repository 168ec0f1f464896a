"""
`python -m auth_ext` is the command `signicat`.
"""

import sys

from auth_ext.cli import main

if __name__ == "__main__":
    sys.exit(main())
