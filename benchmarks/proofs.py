"""Prove every gradient on many geometries and keep the worst errors."""

from collections import defaultdict

from benchmarks.recording import keep
from minidl.proofs import ROWS
from minidl.proofs import run as prove_row

CASES = 500


def run(arguments):
    methods = defaultdict(list)
    for row in ROWS:
        for proof in prove_row(row, CASES).values():
            methods[proof.method].append(proof)
    table = {
        method: {
            "gradients": len(proofs), "worst_error": max(p.error for p in proofs), "tolerance": proofs[0].tolerance,
            "proven": sum(p.passed for p in proofs),
        }
        for method, proofs in methods.items()
    }  # fmt: skip
    for method, found in table.items():
        print(
            f"{method:24}{found['proven']:3} of {found['gradients']:3} proven, worst error {found['worst_error']:.1e}"
        )
    keep(
        "proofs",
        {
            "ops": len({row.name.partition("[")[0] for row in ROWS}),
            "cases": CASES,
            "methods": table,
        },
    )
