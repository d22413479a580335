"""`python -m benchmarks proofs|stylize|readme`"""

import argparse

from benchmarks import proofs, readme, stylize

WORKS = {"proofs": proofs, "stylize": stylize, "readme": readme}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    works = parser.add_subparsers(dest="work", metavar="WORK", required=True)
    for name, work in WORKS.items():
        works.add_parser(name, help=work.__doc__.partition("\n")[0])
    WORKS[parser.parse_args().work].run()


if __name__ == "__main__":
    main()
