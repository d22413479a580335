"""Malicious and malformed data set files are refused in one sentence, and with little memory."""

import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import zlib

import pytest

from minidl.cli import main
from minidl.data import cifar10, mnist, pickles
from minidl.data.tar import BLOCK, TarError, members
from minidl.data.unpacking import unpacked
from minidl.errors import FileError
from tests.data.official import digits, idx, photographs, python2_pickle, records, tar

MOST = 200 * 2**20  # bytes; twice limits.SPARE and the memory that is used besides
LABELS = idx(digits()[1])


def refused(read, saying=None):
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=saying) as caught:
            read()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    sentence = str(caught.value)
    assert len(sentence) < 600 and sentence.isprintable() and peak < MOST


def gzip_of_zeros(size, head=b""):
    pack = zlib.compressobj(1, wbits=31)
    zeros = b"".join(pack.compress(bytes(2**20)) for _ in range(size >> 20))
    return pack.compress(head) + zeros + pack.flush()


def xz_of_zeros(size, dictionary=2**20):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": dictionary}]
    return lzma.compress(bytes(size), filters=filters)


BOMBS = {
    "gzip": lambda: gzip_of_zeros(150 * 2**20),
    "gzip of many members": lambda: gzip_of_zeros(2**20) * 150,
    "xz": lambda: xz_of_zeros(2**20) * 150,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_decompression_bombs_are_refused(tmp_path, kind):
    (tmp_path / "file").write_bytes(BOMBS[kind]())
    refused(lambda: unpacked(tmp_path / "file"), "unpacks to more than")


@pytest.mark.parametrize(
    "path",
    ["t10k-images-idx3-ubyte.gz", "test_batch.bin.gz", "test_batch.gz", "cifar-10-binary.tar.gz"],
)
def test_data_sets_with_decompression_bombs_are_refused(tmp_path, path):
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(LABELS)
    head = struct.pack(">BBBBIII", 0, 0, 8, 3, 2**31 // 784, 28, 28) if "idx" in path else b""
    (tmp_path / path).write_bytes(gzip_of_zeros(150 * 2**20, head))
    refused(lambda: (mnist if "idx" in path else cifar10)(tmp_path, "test"), "unpacks to more than")


def test_an_xz_dictionary_of_gigabytes_is_refused(tmp_path):
    """The size of the dictionary is a byte in the header of the block, which ends with a
    checksum."""
    whole = bytearray(lzma.compress(bytes(100)))
    place = whole.index(b"\x21\x01", 12) + 2  # after the filter LZMA2 and one byte of properties
    end = 12 + 4 * (whole[12] + 1) - 4
    whole[place] = 40  # 4 GiB - 1
    whole[end : end + 4] = struct.pack("<I", zlib.crc32(whole[12:end]))
    (tmp_path / "file").write_bytes(whole)
    refused(lambda: unpacked(tmp_path / "file"), "Memory usage limit exceeded")


def test_concatenated_streams_are_decompressed(tmp_path):
    for content in (
        lzma.compress(b"ab") + bytes(8) + lzma.compress(b"cd"),
        gzip.compress(b"ab") + gzip.compress(b"cd"),
    ):
        (tmp_path / "file").write_bytes(content)
        assert unpacked(tmp_path / "file") == b"abcd"


@pytest.mark.parametrize(
    ("axes", "lengths", "message"),
    [
        (3, (2**32 - 1, 2**32 - 1, 2**32 - 1), "its header states"),
        (3, (0, 28, 28), "its header states 0 numbers"),
        (255, (1,), "its array has 255 axes, wanted 3"),
    ],
)
def test_idx_headers_with_wrong_lengths_are_refused(tmp_path, axes, lengths, message):
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(LABELS)
    content = struct.pack(f">BBBB{len(lengths)}I", 0, 0, 8, axes, *lengths) + bytes(784)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(content)
    refused(lambda: mnist(tmp_path, "test"), message)


# tar


def header(name=b"test_batch.bin", size=b"00000000012\0", kind=b"0", **fields):
    block = bytearray(BLOCK)
    block[: len(name)], block[124:136], block[156:157] = name, size, kind
    for place, value in fields.items():
        block[int(place[1:]) : int(place[1:]) + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def with_pax(pax_records, size=b"00000000000\0"):
    text = b"".join(b"%d %s\n" % (len(record) + 4, record) for record in pax_records)
    length = b"%011o\0" % len(text)
    padded = text.ljust(-(-len(text) // BLOCK) * BLOCK, b"\0")
    return header(b"pax", length, b"x") + padded + header(size=size)


TARS = {
    "a negative size": header(size=b"\xff" * 12),
    "a size in base 256": header(size=b"\x80" + b"\0" * 7 + b"\x7f\xff\xff\xff"),
    "a size beyond the end": header(size=b"77777777777\0"),
    "no size": header(size=b"abc".ljust(12)),
    "a size of superscripts": header(size="²".encode().ljust(12)),
    "a size in a PAX header": with_pax([b"size=99999999999999999999"]),
    "a negative size in a PAX header": with_pax([b"size=-1024"]),
    "a sparse file in a PAX header": with_pax(
        [b"GNU.sparse.major=1", b"GNU.sparse.realsize=9999999999"]
    ),
    "a sparse file": header(kind=b"S", b483=b"77777777777\0"),
    "a link": header(kind=b"1", b157=b"/etc/passwd"),
    "a symbolic link": header(kind=b"2", b157=b"/etc/passwd"),
    "a link to itself": header(kind=b"2", b157=b"test_batch.bin"),
    "a device": header(kind=b"3", b329=b"0000001\0"),
    "a pipe": header(kind=b"6"),
    "a folder": header(kind=b"5"),
    "a long name": header(b"././@LongLink", b"77777777777\0", b"L"),
    "a wrong checksum": header()[:-1] + b"x",
    "half a header": header()[:200],
    "zeros": bytes(10 * BLOCK),
    "nothing": b"",
}


@pytest.mark.parametrize("packing", [bytes, gzip.compress, lzma.compress])
@pytest.mark.parametrize("kind", TARS)
def test_archives_of_other_members_are_refused(tmp_path, kind, packing):
    (tmp_path / "cifar-10-binary.tar").write_bytes(packing(TARS[kind]))
    refused(
        lambda: cifar10(tmp_path, "test"),
        r"cifar-10-binary\.tar.* is damaged or not what its name says",
    )


def test_a_plain_member_among_others_is_read():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind in (
            ("a/", tarfile.DIRTYPE),
            ("a/link", tarfile.SYMTYPE),
            ("a/" + "long" * 50, tarfile.REGTYPE),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "elsewhere"
            archive.addfile(entry)
        entry = tarfile.TarInfo("a/test_batch.bin")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"hello"))
    content = buffer.getvalue()
    found = {name: content[part] for name, part in members(content)}
    assert found["a/test_batch.bin"] == b"hello" and "a/link" not in found


def test_archives_of_tarfile_are_read():
    contents = {"a/1": b"", "a/2": b"x" * 511, "a/3": b"y" * 512, "a/4": b"z" * 513}
    archive = tar(contents)
    assert {name: archive[part] for name, part in members(archive)} == contents
    with pytest.raises(TarError, match="it ends within the member at byte"):
        list(members(archive[: 4 * BLOCK]))


# Pickles of CIFAR-10


DOUBLED = b")" + b"q\0h\0h\0\x86" * 60
PICKLES = {
    "a doubled tuple as key": b"\x80\x02}" + DOUBLED + b"Ns.",
    "a deep tuple as data": b"\x80\x02}U\x04data)" + b"\x85" * 20_000 + b"s.",
    "a doubled tuple as labels": b"\x80\x02}U\x06labels" + DOUBLED + b"s.",
    "a doubled tuple as function": b"\x80\x02}U\x04data" + DOUBLED + b")RU\x06labels]s.",
    "dictionaries without end": b"\x80\x02(" + b"}" * 60_000 + b"t.",
    "an encoded text of nothing": b"\x80\x02}U\x04datac_codecs\nencode\n)Rs.",
    "a state of a list": b"\x80\x02]K\1b.",
    "a text beyond the end": b"\x80\x02T\xff\xff\xff\x7fa.",
    "a negative length": b"\x80\x02T\xff\xff\xff\xffa.",
    "a long import": b"\x80\x02c" + b"a" * 100_000 + b"\nb\n.",
    "an odd number of items": b"\x80\x02}(U\x01au.",
    "a mark without an end": b"\x80\x02u.",
}


@pytest.mark.parametrize("kind", PICKLES)
def test_malicious_pickles_are_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(pickles, "INSTRUCTIONS", 50_000)
    (tmp_path / "test_batch").write_bytes(PICKLES[kind])
    refused(lambda: cifar10(tmp_path, "test"), "test_batch is damaged or not what its name says")


def test_an_official_batch_is_within_the_limits():
    """An official batch has 10,000 pictures with a label and a name each."""
    pictures, labels = photographs(10)
    names = b"".join(b"U\x05%05dq\x0b" % number for number in range(10_000))
    content = python2_pickle(pictures, labels, more=b"U\x09filenames](" + names + b"e")
    assert len(pickles.describe(content)["filenames"]) == 10_000


def test_the_command_prints_one_line_for_a_malicious_file(tmp_path, capsys):
    (tmp_path / "test_batch.bin").write_bytes(records(*photographs()))
    (tmp_path / "cifar-10-binary.tar").write_bytes(TARS["a size in a PAX header"])
    assert main(["data", "info", "cifar10", "--data", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minidl: ") and error.count("\n") == 1 and "lacks data_batch_1" in error
