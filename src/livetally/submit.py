"""The file that `spark-submit` is given: `livetally tally`, in a Java that somebody else has started. `docs/cluster.md` has the command.

With `--jars` it prints what the option of that name of `spark-submit` takes, and fetches what is missing.
"""

import argparse
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="submit.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jars", action="store_true", help="print the JARs and end")
    if parser.parse_args().jars:
        print(_jars())
        return 0
    from livetally.cli import main as livetally

    return livetally(["tally"])


def _jars() -> str:
    from livetally.embedded.jars import fetch, read_lock
    from livetally.settings import cache_dir_of, read_settings

    settings = read_settings()
    return ",".join(
        str(path) for path in fetch({"spark": read_lock()["spark"]}, cache_dir_of(settings), settings.maven_repository)["spark"]
    )


if __name__ == "__main__":
    # A script's directory comes first on Python's path. This one is full of modules whose short names could stand before other people's.
    sys.path = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]
    sys.exit(main())
