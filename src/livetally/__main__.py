import sys

from livetally.cli import main

sys.exit(main())
