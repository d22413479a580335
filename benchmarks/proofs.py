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
            "gradients": len(proofs),
            "worst_error": max(proof.error for proof in proofs),
            "tolerance": proofs[0].tolerance,
            "proven": sum(proof.passed for proof in proofs),
        }
        for method, proofs in methods.items()
    }
    line = "{:24}{proven:3} of {gradients:3} proven, worst error {worst_error:.1e}"
    for method, numbers in table.items():
        print(line.format(method, **numbers))
    ops = {row.name.partition("[")[0] for row in ROWS}
    keep("proofs", {"ops": len(ops), "cases": CASES, "methods": table})
