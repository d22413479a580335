"""Downloads from a local server, with the faults of servers and networks."""

import hashlib
import importlib
import re
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request

import pytest

from minidl.data import fetch as fetch_dataset
from minidl.data.fetch import SOURCES, Known, Source, fetch
from minidl.errors import ArgumentError, FileError

CONTENT = bytes(range(256)) * 1000
NAMES = ["pictures.gz", "labels.gz"]
KNOWN = Known(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
fetching = importlib.import_module("minidl.data.fetch")  # minidl.data.fetch is the function


class Server(ThreadingHTTPServer):
    """Serves CONTENT under any name. The class attributes select its behaviour, and `requests`
    lists the header Range of each request, or None."""

    daemon_threads = True
    content, knows_range, cut, status, sends_length, to = CONTENT, True, None, None, True, None

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, byte_range = self.server, self.headers["Range"]
        server.requests.append(byte_range)
        if server.status:
            return self.send_error(server.status)
        if server.to:
            self.send_response(302)
            self.send_header("Location", server.to)
            return self.end_headers()
        begin = 0
        if byte_range and server.knows_range:
            begin = int(re.fullmatch(r"bytes=(\d+)-", byte_range)[1])
        if byte_range and begin >= len(server.content):
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        if server.sends_length:
            self.send_header("Content-Length", str(len(server.content) - begin))
        self.end_headers()
        with suppress(ConnectionError):  # the client closes the connection early
            self.wfile.write(server.content[begin : server.cut])
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    monkeypatch.setattr(fetching, "SCHEMES", ("http",))
    monkeypatch.setitem(SOURCES, "mnist", Source((server.address,), dict.fromkeys(NAMES, KNOWN)))
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_all_files_are_downloaded_once(server, tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    assert fetch("mnist", folder) == folder
    assert names(folder) == sorted(NAMES) and all(
        (folder / name).read_bytes() == CONTENT for name in NAMES
    )
    assert server.requests == [None, None]
    assert "pictures.gz: 100%" in capsys.readouterr().err
    fetch("mnist", folder)
    assert len(server.requests) == 2


def test_the_default_folder_is_the_cache(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert fetch_dataset("mnist", quiet=True) == tmp_path / "minidl/mnist"
    assert names(tmp_path / "minidl/mnist") == sorted(NAMES)
    assert not capsys.readouterr().err


def test_a_wrong_file_is_replaced(server, tmp_path):
    (tmp_path / NAMES[0]).write_bytes(b"cut")
    fetch("mnist", tmp_path)
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT


@pytest.mark.parametrize("knows_range", [True, False])
def test_an_interrupted_download_is_continued(server, tmp_path, knows_range):
    server.cut, server.knows_range = 100_000, knows_range
    message = (
        r"pictures\.gz cannot be fetched .*ended after 100,000 of 256,000 bytes.*; "
        r".*/pictures\.gz\.part keeps the 100,000 bytes .*run it again"
    )
    with pytest.raises(FileError, match=message):
        fetch("mnist", tmp_path)
    assert names(tmp_path) == ["pictures.gz.part"]
    server.cut = None
    fetch("mnist", tmp_path)
    assert names(tmp_path) == sorted(NAMES) and (tmp_path / NAMES[0]).read_bytes() == CONTENT
    assert server.requests == [None, "bytes=100000-", None]


def test_a_wrong_partial_file_is_downloaded_again(server, tmp_path):
    for partial in b"other", CONTENT + b"more", bytes(len(CONTENT)):
        (tmp_path / f"{NAMES[0]}.part").write_bytes(partial)
        fetch("mnist", tmp_path)
        assert (tmp_path / NAMES[0]).read_bytes() == CONTENT
        (tmp_path / NAMES[0]).unlink()


def test_a_complete_partial_file_needs_no_network(server, tmp_path):
    for name in NAMES:
        (tmp_path / f"{name}.part").write_bytes(CONTENT)
    fetch("mnist", tmp_path)
    assert names(tmp_path) == sorted(NAMES) and not server.requests


def test_a_server_that_sends_no_length(server, tmp_path):
    server.sends_length = False
    fetch("mnist", tmp_path)
    assert names(tmp_path) == sorted(NAMES)


def test_a_file_with_a_wrong_hash_is_removed(server, tmp_path):
    server.content = CONTENT[::-1]
    with pytest.raises(
        FileError,
        match=rf"{server.address} sent another file, whose SHA-256 is wrong\); check the network",
    ):
        fetch("mnist", tmp_path)
    assert not names(tmp_path)


@pytest.mark.parametrize("status, reason", [(404, "Not Found"), (503, "Service Unavailable")])
def test_the_error_contains_that_of_the_server(server, tmp_path, status, reason):
    server.status = status
    with pytest.raises(FileError, match=rf"{server.address} failed: HTTP Error {status}: {reason}"):
        fetch("mnist", tmp_path)


def test_the_second_address_is_used_if_the_first_fails(server, tmp_path, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        monkeypatch.setitem(
            SOURCES, "mnist", SOURCES["mnist"]._replace(addresses=(refused, server.address))
        )
        fetch("mnist", tmp_path / "good")
        assert names(tmp_path / "good") == sorted(NAMES)
        server.status = 404
        with pytest.raises(
            FileError,
            match=rf"{refused} failed: .*refused, {server.address} failed: HTTP Error 404",
        ):
            fetch("mnist", tmp_path / "bad")


def test_a_file_of_another_length_is_not_downloaded(server, tmp_path):
    for server.content in CONTENT + b"more", CONTENT[:-1]:
        found = rf"it offers a file of {len(server.content):,} bytes; wanted 256,000"
        with pytest.raises(FileError, match=found):
            fetch("mnist", tmp_path)
        assert not names(tmp_path)


def test_a_download_stops_at_the_size_of_the_file(server, tmp_path):
    server.content, server.sends_length = CONTENT * 100, False
    with pytest.raises(FileError, match="it sent more than the 256,000 bytes of the file"):
        fetch("mnist", tmp_path)
    assert (tmp_path / f"{NAMES[0]}.part").stat().st_size <= len(CONTENT)


def test_all_addresses_are_encrypted():
    addresses = [address for source in SOURCES.values() for address in source.addresses]
    assert all(address.startswith("https://") and address.endswith("/") for address in addresses)
    assert fetching.SCHEMES == ("https",)


def test_no_request_goes_to_an_unencrypted_address(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "SCHEMES", ("https",))
    with pytest.raises(FileError, match="does not begin with https://, so nothing was requested"):
        fetch("mnist", tmp_path)
    assert not server.requests


@pytest.mark.parametrize(
    "place", ["ftp://127.0.0.1/", "file:///etc/passwd", "https://127.0.0.1:1/"]
)
def test_redirects_to_another_scheme_are_refused(server, tmp_path, place):
    """This test allows only http. The next one tests a redirect from https to http."""
    server.to = place
    with pytest.raises(
        FileError, match=f"the address {place} does not begin with https|not allowed"
    ):
        fetch("mnist", tmp_path)


def test_a_redirect_from_https_to_http_is_refused():
    handler, request = fetching._Redirects(), Request("https://example.org/a")
    with pytest.raises(ConnectionError, match="does not begin with https"):
        handler.redirect_request(request, None, 302, "Found", {}, "http://example.org/a")
    sent = handler.redirect_request(request, None, 302, "Found", {}, "https://example.org/b")
    assert sent.full_url == "https://example.org/b"


def test_a_server_that_does_not_speak_http(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(fetching, "SCHEMES", ("http",))
        monkeypatch.setitem(SOURCES, "mnist", Source((address,), {NAMES[0]: KNOWN}))

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"hello\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(
            FileError, match=rf"pictures\.gz cannot be fetched \({address} failed: "
        ):
            fetch("mnist", tmp_path)
        thread.join()


def test_invalid_folders_and_names_are_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"cannot make the folder .*file"):
        fetch("mnist", tmp_path / "file")
    with pytest.raises(
        ArgumentError, match="the data set is 'imagenet'; wanted one of 'mnist', 'cifar10'"
    ):
        fetch("imagenet", tmp_path)
