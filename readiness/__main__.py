"""`python -m readiness` is `verify-stack`."""

import sys

from readiness.cli import main

sys.exit(main())
