"""Run the command `minidl` with `python -m minidl.cli`."""

import sys

from minidl.cli import main

sys.exit(main())
