"""Write the README's results anew from the result files."""

import re
from pathlib import Path

from benchmarks.recording import kept

README = Path(__file__).parents[1] / "README.md"
SECTION = re.compile(r"(<!-- results: [^\n]* -->\n).*(<!-- end of results -->)", re.DOTALL)


def run():
    text = README.read_text()
    parts = [part for part in (_proofs(kept("proofs")), _stylize(kept("stylize"))) if part]
    results = "\n\n".join(parts)
    README.write_text(SECTION.sub(lambda found: f"{found[1]}\n{results}\n\n{found[2]}", text))


def _proofs(results):
    if not results:
        return ""
    lines = [
        f"Every gradient of {results['ops']} ops against its definition, in float64, each on {results['cases']} geometries:",
        "",
        "| method | gradients proven | worst relative error | tolerance |",
        "|---|---|---|---|",
    ]
    for method, found in results["methods"].items():
        proven = f"{found['proven']} of {found['gradients']}"
        lines.append(f"| {method} | {proven} | {found['worst_error']:.1e} | {found['tolerance']:.0e} |")
    return "\n".join(lines)


def _stylize(results):
    if not results:
        return ""
    names = {"demo": "the demo", "gatys_code_256": "`--preset gatys-code --size 256 --steps 100`"}
    header = "| what | picture | steps | time | lowest loss / first | steps that went up |"
    lines = ["Painting, the whole command:", "", header, "|---|---|---|---|---|---|"]
    for key, name in names.items():
        r = results[key]
        lines.append(f"| {name} | {r['pixels']} | {r['steps']} | {r['seconds']:.0f} s | {r['share']:.2%} | {r['up']} |")
    on = results["measured_on"]
    machine = f"{on['processor']}, {on['cores']} cores, NumPy {on['numpy']}, {on['date']}"
    return "\n".join([*lines, "", f"({machine}. No GPU was measured yet.)"])
