"""`python -m phiscale` is the command `phiscale`."""

import sys

from pipeline.cli import main

sys.exit(main())
