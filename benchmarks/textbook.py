"""The same steps by the fast implementations and by the definitions of the textbook."""

from benchmarks import stylize, train
from benchmarks.recording import keep, watch_others
from benchmarks.turns import median_seconds
from minidl import textbook


def run(arguments):
    """Measure both alternately, print the times and keep them."""
    rows, share = [], watch_others()
    for case in (*stylize.cases(quick=False), *train.cases(quick=False)):
        engine, definitions = measured(case.ours(case.arrays())["step"])
        rows.append({"name": case.name, "engine": engine, "textbook": definitions})
        ratio = definitions / engine
        print(f"{case.name:60}{engine:8.3f} s{definitions:8.3f} s{ratio:8.2f}", flush=True)
    keep("textbook", {"steps": rows, "others": share()})


def measured(step):
    """Return the median seconds of a step by the engine, and of the same step by the textbook."""
    rivals = {"engine": {"step": step}, "textbook": {"step": textbook()(step)}}
    return [times["step"] for times in median_seconds(rivals).values()]
