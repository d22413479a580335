"""The model of a database: which network made its embeddings.

Embeddings of different networks cannot be compared, so a database names its model, and any other
one is refused.
"""

from pathlib import Path
from typing import NamedTuple

from minidl.errors import FileError, printable
from minidl.faces.sqlite_file import FROM_A_COPY, Run
from minidl.models.face_recognition import NUMBERS


class Model(NamedTuple):
    """What makes embeddings. identity: `FaceReader.identity`, or None for any model. numbers: of an
    embedding. network: the run of the network, for messages; "" for the shipped one."""

    identity: str | None
    numbers: int = NUMBERS
    network: str = ""

    def facts(self) -> dict[str, str]:
        """Return what the database of this model says about it."""
        facts = {"model": self.identity or "", "numbers": str(self.numbers)}
        return facts | ({"network": self.network} if self.network else {})

    def must_fit(self, run: Run, path: Path) -> None:
        """Raise FileError if an open database is damaged, or of another model.

        run: the function of the open transaction. path: of the file.
        """
        stored = dict(run("SELECT what, told FROM about LIMIT 10"))
        if "model" not in stored:
            raise FileError(
                f"{path} is damaged: it does not say of which model it is; {FROM_A_COPY}"
            )
        if self.identity is None:
            return
        network = printable(str(stored.get("network", "")), 200)
        if stored["model"] != self.identity:
            other = _named(printable(str(stored["model"]), 40), network)
            advice = "enroll the pictures anew, in another database"
            if network != self.network:
                use = f"use --network {network}" if network else "leave --network out"
                advice = f"{use}, or {advice}"
            raise FileError(
                f"{path} holds embeddings of another model ({other}; this one is "
                f"{_named(self.identity, self.network)}), which cannot be compared; {advice}"
            )
        if stored.get("numbers", str(NUMBERS)) != str(self.numbers):
            raise FileError(
                f"{path} is damaged: it says that an embedding has "
                f"{printable(str(stored['numbers']), 20)} numbers; {FROM_A_COPY}"
            )


def _named(identity, network):
    return f"{identity} of {network}" if network else identity
