"""`python -m edged` does what `edged` does."""

import sys

from .cli import main

sys.exit(main())
