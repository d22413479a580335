"""`minidl gradcheck`: prove every gradient, before your eyes."""

from minidl.backend import device
from minidl.cli.lists import split
from minidl.cli.options import add_device
from minidl.cli.output import counted, shown
from minidl.errors import ArgumentError, did_you_mean, printable
from minidl.plots import must_be_drawable, new_figure, save_figure
from minidl.proofs import ROWS
from minidl.proofs import run as prove_row


def register(commands):
    parser = commands.add_parser(
        "gradcheck",
        help="prove the gradients of the ops",
        description="Prove the gradients of every op, or of those named, against their definition, in float64, on random "
        "geometries. Exit code 1 where a proof fails.",
        epilog=f"The ops: {', '.join(_names())}.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "ops", nargs="*", metavar="OP", help="such as convolution or max_pool; all if none is named"
    )
    parser.add_argument(
        "--cases",
        type=int,
        default=20,
        metavar="N",
        help="random geometries for each op (default: 20)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the geometries and numbers (default: 0)"
    )
    add_device(parser)
    parser.add_argument(
        "--plot", metavar="FILE", help="draw the worst errors beside their tolerances"
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
        print(f"drawn in {shown(arguments.plot)}")
    return 1 if wrong else 0


def _names():
    return list(dict.fromkeys(row.name.partition("[")[0] for row in ROWS))


def _rows(names):
    """The rows that are meant: `convolution` means all its algorithms."""
    for name in names:
        if not any(name in (row.name, row.name.partition("[")[0]) for row in ROWS):
            near = did_you_mean(name, _names()) or "; `minidl gradcheck --help` lists them"
            raise ArgumentError(f"there is no op {printable(name, 80)!r} to prove{near}")
    return [
        row for row in ROWS if not names or row.name in names or row.name.partition("[")[0] in names
    ]


def _plot(path, proofs):
    labels = [f"{name}  d{proof.argument}" for name, proof in proofs]
    places = range(len(proofs), 0, -1)
    figure, axes = new_figure(8, 1.5 + 0.19 * len(proofs))
    # An exact proof has an error of 0, which has no place on a logarithmic axis: it is drawn at its
    # left end.
    errors = [max(proof.error, 1e-18) for _, proof in proofs]
    colours = ["tab:blue" if proof.passed else "tab:red" for _, proof in proofs]
    axes.hlines(places, 1e-18, errors, colours, linewidth=1)
    axes.scatter(errors, places, c=colours, s=16, label="worst error", zorder=2)
    axes.scatter(
        [proof.tolerance for _, proof in proofs],
        places,
        c="black",
        marker="|",
        s=40,
        label="tolerance",
    )
    axes.set(xscale="log", xlim=(1e-18, None), xlabel="relative error", yticks=list(places))
    axes.set_yticklabels(labels, fontsize=7)
    axes.set_ylim(0, len(proofs) + 1)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    axes.grid(axis="x", alpha=0.3)
    save_figure(figure, path)
