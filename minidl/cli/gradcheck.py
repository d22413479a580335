"""`minidl gradcheck`: check the gradients of all ops against their definition."""

from minidl.backend import device
from minidl.cli.options import add_device
from minidl.cli.output import counted, shown
from minidl.cli.words import split
from minidl.errors import ArgumentError, did_you_mean, printable
from minidl.plots import must_be_drawable, new_figure, save_figure
from minidl.proofs import ROWS
from minidl.proofs import run as prove_row

LEAST_ERROR = 1e-18  # left end of the logarithmic axis; an exact proof has an error of 0


def register(commands):
    parser = commands.add_parser(
        "gradcheck",
        help="check the gradients of the ops",
        description="Check the gradients of all ops, or of the named ones, against their "
        "definition, in float64 and on random shapes. The exit code is 1 if a check fails.",
        epilog=f"ops:\n  {', '.join(_op_names())}",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "ops",
        nargs="*",
        metavar="OP",
        help="names of ops, such as convolution or max_pool (default: all)",
    )
    parser.add_argument(
        "--cases",
        type=int,
        default=20,
        metavar="N",
        help="number of random geometries for each op (default: 20)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the geometries and the values (default: 0)",
    )
    add_device(parser)
    parser.add_argument(
        "--plot", metavar="FILE", help="plot the largest errors and their tolerances to this file"
    )


def run(arguments):
    rows = _rows(split(" ".join(arguments.ops)) if arguments.ops else [])
    if arguments.cases < 1 or arguments.seed < 0:
        raise ArgumentError(
            f"--cases is {arguments.cases} and --seed is {arguments.seed}; "
            "wanted --cases of at least 1 and --seed of at least 0"
        )
    if arguments.plot:
        must_be_drawable(arguments.plot)
    proofs = []
    with device(arguments.device):
        print(f"{'op':40}{'argument':11}{'method':23}{'worst error':>12}{'tolerance':>11}  verdict")
        for row in rows:
            for proof in prove_row(row, arguments.cases, arguments.seed).values():
                verdict = "proven" if proof.passed else "WRONG"
                errors = f"{proof.error:12.1e}{proof.tolerance:11.0e}"
                print(f"{row.name:40}{proof.argument:11}{proof.method:23}{errors}  {verdict}")
                proofs.append((row.name, proof))
    wrong = sum(not proof.passed for _, proof in proofs)
    cases = counted(arguments.cases, "geometry", "geometries")
    print(f"\n{len(proofs) - wrong} of {len(proofs)} gradients proven, each on {cases}")
    if arguments.plot:
        _plot(arguments.plot, proofs)
        print(f"the plot is in {shown(arguments.plot)}")
    return 1 if wrong else 0


def _op_name(row):
    """Return the name of an op without its form: "convolution" for "convolution[winograd]"."""
    return row.name.partition("[")[0]


def _op_names():
    return list(dict.fromkeys(map(_op_name, ROWS)))


def _rows(names):
    """Return the rows of the named ops, with all forms of an op unless the name includes one."""
    known = {row.name for row in ROWS} | set(_op_names())
    for name in names:
        if name not in known:
            hint = did_you_mean(name, _op_names()) or "; `minidl gradcheck --help` lists the ops"
            raise ArgumentError(f"there is no op {printable(name, 80)!r} to prove{hint}")
    return [row for row in ROWS if not names or row.name in names or _op_name(row) in names]


def _plot(path, proofs):
    labels = [f"{name}  d{proof.argument}" for name, proof in proofs]
    places = range(len(proofs), 0, -1)
    errors = [max(proof.error, LEAST_ERROR) for _, proof in proofs]
    tolerances = [proof.tolerance for _, proof in proofs]
    colours = ["tab:blue" if proof.passed else "tab:red" for _, proof in proofs]
    figure = new_figure(8, 1.5 + 0.19 * len(proofs))
    axes = figure.subplots()
    axes.hlines(places, LEAST_ERROR, errors, colours, linewidth=1)
    axes.scatter(errors, places, c=colours, s=16, label="worst error", zorder=2)
    axes.scatter(tolerances, places, c="black", marker="|", s=40, label="tolerance")
    axes.set(xscale="log", xlim=(LEAST_ERROR, None), xlabel="relative error", yticks=list(places))
    axes.set_yticklabels(labels, fontsize=7)
    axes.set_ylim(0, len(proofs) + 1)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    axes.grid(axis="x", alpha=0.3)
    save_figure(figure, path)
