"""What the README shows of Python runs as it stands there."""

import re
from pathlib import Path

import numpy as np

from minidl.data import write_image
from minidl.training import load

README = (Path(__file__).parents[1] / "README.md").read_text()


def picture(rng, channel):
    """Noise, a little more of it in one colour"""
    pixels = rng.integers(0, 200, (40, 30, 3))
    pixels[..., channel] += 50
    return pixels


def test_a_network_of_one_s_own_learns_one_s_own_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for channel, name in enumerate(("red", "green")):
        Path("photos", name).mkdir(parents=True)
        for number in range(12):
            write_image(f"photos/{name}/{number}.png", picture(rng, channel))
    write_image("photo.jpg", picture(rng, channel=1))
    [page] = [
        block
        for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL)
        if "picture_folder" in block
    ]
    exec(compile(page, "README.md", "exec"), {})
    rows = load("runs/photos/checkpoint.h5")["progress"]["rows"]
    assert len(rows) == 20 and rows[-1]["accuracy"] == 1
    # a few pictures are soon too much for a high learning rate
    assert max(row["loss"] for row in rows) < 5
    told = capsys.readouterr().out
    assert "Moment(epoch=20" in told and told.endswith("photo.jpg shows: green\n")
