"""`python -m verification.report` is `python -m readiness.report`, for who learned it under that name."""

import sys

from readiness.report.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
