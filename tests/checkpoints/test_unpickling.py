import os
import pickle
import zipfile

import pytest

from minidl.checkpoints import read
from minidl.errors import FileError


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def programs(sentinel):
    """Return pickles that would create the file `sentinel`, with each instruction that can call."""
    command = f"touch {sentinel}"
    text = f"X{chr(len(command))}\0\0\0{command}".encode()
    setstate = b"\x80\x02ccollections\nOrderedDict\n)R}X\x0c\0\0\0__setstate__cos\nsystem\nsb"
    pickles = {
        f"protocol {protocol}": pickle.dumps(Calls(os.system, command), protocol)
        for protocol in range(6)
    }
    pickles |= {
        "GLOBAL": b"\x80\x02cos\nsystem\n(" + text + b"tR.",
        "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93(" + text + b"tR.",
        "INST": b"(" + text + b"ios\nsystem\n.",
        "OBJ": b"(cos\nsystem\n" + text + b"o.",
        "NEWOBJ": b"\x80\x02cos\nsystem\n(" + text + b"t\x81.",
        "builtins": pickle.dumps(Calls(eval, f"__import__('os').system({command!r})"), 2),
        "getattr": b"\x80\x02cbuiltins\ngetattr\n(cos\nsystem\ntR.",
        "dotted name": b"\x80\x04\x8c\x0btorch._utils\x8c\x0aos.system\x93(" + text + b"tR.",
        "in a persistent id": b"\x80\x02cos\nsystem\n(" + text + b"tRQ.",
        "as a storage type": (b"\x80\x02(X\x07\0\0\0storagecos\nsystem\nX\x01\0\0\x000NK\x01tQ."),
        "as a key": pickle.dumps({Calls(os.system, command): 1}, 2),
        "through BUILD": setstate + text + b"b.",
        "extension registry": b"\x80\x02\x82\x01.",
        "in a list of optimiser states": pickle.dumps(
            {"w": [1, (2, Calls(os.system, command))]}, 2
        ),
    }
    return pickles


@pytest.mark.parametrize("kind", list(programs("x")))
@pytest.mark.parametrize("container", ["zip", "legacy", "bare"])
def test_programs_are_refused_and_not_run(tmp_path, samples, kind, container):
    sentinel = tmp_path / "ran"
    program = programs(sentinel)[kind]
    path = tmp_path / "weights.pth"
    if container == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", program)
    else:
        path.write_bytes(samples.LEGACY_HEAD * (container == "legacy") + program)
    with pytest.raises(FileError):
        read(path)
    assert not sentinel.exists()


def test_the_error_names_the_import(tmp_path, samples):
    path = tmp_path / "weights.pth"
    path.write_bytes(samples.LEGACY_HEAD + b"\x80\x02cos\nsystem\n(X\x02\0\0\0lstR.")
    with pytest.raises(
        FileError, match=r"pth asks to import os\.system: this .*, nothing of it was run"
    ):
        read(path)


def test_the_error_for_a_whole_module_names_its_class(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pth")
    with pytest.raises(FileError, match=r"torch\.nn\.modules\.linear\.Linear.*state_dict\(\)"):
        read(tmp_path / "model.pth")


def test_attributes_of_functions_are_not_set(tmp_path, samples):
    """BUILD on a function would set attributes that stay for the rest of the process."""
    from minidl.checkpoints import tensors

    path = tmp_path / "weights.pth"
    program = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x01\0\0\0aK\x01sb."
    path.write_bytes(samples.LEGACY_HEAD + program)
    with pytest.raises(FileError):
        read(path)
    assert not vars(tensors.rebuild_tensor)
