"""Downloads against a real server on loopback: resumed, bounded, checked, and cancelled at once."""

from __future__ import annotations

import hashlib
import random
import socket
import time
from pathlib import Path

import pytest

from generator import connection, downloads
from generator.downloads import BadSource, Fetching, Remote, Unreachable, download
from tests.generator.server import Behaviour, serving

BODY = random.Random(1).randbytes(300_000)


pytestmark = pytest.mark.usefixtures("online")


def remote(url: str, body: bytes = BODY) -> Remote:
    return Remote(url, "the test file", len(body), hashlib.sha256(body).hexdigest())


def fetch(url: str, to: Path, body: bytes = BODY, *, stall_s: float = 5) -> Path:
    *events, last = download(remote(url, body), to, stall_s=stall_s)
    assert all(isinstance(event, Fetching) and event.total == len(body) for event in events)
    assert isinstance(last, Path)
    return last


def test_a_file_arrives_whole(tmp_path: Path) -> None:
    to, behaviour = tmp_path / "new" / "file.zip", Behaviour(BODY)
    with serving(behaviour) as url:
        assert fetch(url, to) == to
        assert fetch(url, to) == to
    assert to.read_bytes() == BODY
    assert behaviour.asked == [None], "the second time nothing is asked for"
    assert [path.name for path in to.parent.iterdir()] == ["file.zip"]


def test_a_cut_connection_is_resumed_where_it_broke(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY, cut_after=[100_000, 70_000])
    with serving(behaviour) as url:
        assert fetch(url, tmp_path / "file").read_bytes() == BODY
    assert behaviour.asked == [None, "bytes=100000-", "bytes=170000-"]


def test_a_later_call_goes_on_from_what_is_kept(tmp_path: Path) -> None:
    to, behaviour = tmp_path / "file", Behaviour(BODY, cut_after=[90_000, 0, 0, 0])
    with serving(behaviour) as url:
        with pytest.raises(BadSource, match=r"broke off .*90,000 of 300,000 bytes are kept: run the same command"):
            fetch(url, to)
        assert not to.exists()
        assert fetch(url, to).read_bytes() == BODY
    assert behaviour.asked[-1] == "bytes=90000-"


def test_a_server_without_ranges_begins_anew(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY, ranges=False, cut_after=[100_000])
    with serving(behaviour) as url:
        assert fetch(url, tmp_path / "file").read_bytes() == BODY
    assert behaviour.asked == [None, "bytes=100000-"]


def test_a_part_of_an_older_file_is_fetched_again(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY)
    (tmp_path / "file.part").write_bytes(b"older" * 1000)
    with serving(behaviour) as url:
        assert fetch(url, tmp_path / "file").read_bytes() == BODY
    assert behaviour.asked == ["bytes=5000-", None]


@pytest.mark.parametrize("size", [300_000, 400_000])
def test_a_part_that_is_too_long_or_wrong_is_fetched_again(tmp_path: Path, size: int) -> None:
    (tmp_path / "file.part").write_bytes(bytes(size))
    with serving(Behaviour(BODY)) as url:
        assert fetch(url, tmp_path / "file").read_bytes() == BODY


def test_wrong_bytes_are_removed(tmp_path: Path) -> None:
    with (
        serving(Behaviour(bytes(len(BODY)))) as url,
        pytest.raises(BadSource, match=r"not the expected file .*removed"),
    ):
        fetch(url, tmp_path / "file")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("status", [404, 403])
def test_a_refusal_is_final(tmp_path: Path, status: int) -> None:
    behaviour = Behaviour(BODY, status=status)
    with serving(behaviour) as url, pytest.raises(Unreachable, match=rf"answered {status} .*--real"):
        fetch(url, tmp_path / "file")
    assert len(behaviour.asked) == 1


def test_a_server_in_trouble_is_asked_again(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY, status=503)
    with serving(behaviour) as url, pytest.raises(Unreachable, match="answered 503"):
        fetch(url, tmp_path / "file")
    assert len(behaviour.asked) == downloads.ATTEMPTS


def test_nobody_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/file"
        with pytest.raises(Unreachable, match=r"cannot be reached .*check the network"):
            fetch(url, tmp_path / "file")
        assert not list(connection.reachable(url))[-1]


@pytest.mark.parametrize("length", [200_000, 9_000_000_000])
def test_another_size_than_expected_is_refused_before_it_is_read(tmp_path: Path, length: int) -> None:
    behaviour = Behaviour(BODY, length=length)
    with (
        serving(behaviour) as url,
        pytest.raises(BadSource, match=rf"has changed .*{length:,} bytes instead of 300,000"),
    ):
        fetch(url, tmp_path / "file")
    assert len(behaviour.asked) == 1


def test_no_more_is_kept_than_expected(tmp_path: Path) -> None:
    """A server that says the right length and sends on for ever."""
    with serving(Behaviour(BODY + bytes(5_000_000), length=len(BODY))) as url:
        assert fetch(url, tmp_path / "file").read_bytes() == BODY


def test_a_silent_server_is_given_up_and_events_go_on(tmp_path: Path) -> None:
    with serving(Behaviour(BODY, cut_after=[0] * 9, silent=True)) as url:
        events, told, last = download(remote(url), tmp_path / "file", stall_s=1), 0, time.monotonic()
        with pytest.raises(BadSource, match="went silent"):
            for _ in events:
                told, gap, last = told + 1, time.monotonic() - last, time.monotonic()
                assert gap < 0.9
    assert told >= 6


def test_cancelling_ends_a_connection_that_is_silent(tmp_path: Path) -> None:
    with serving(Behaviour(BODY, cut_after=[90_000], silent=True)) as url:
        events = download(remote(url), tmp_path / "file", stall_s=15)
        while not isinstance(event := next(events), Fetching) or event.done < 90_000:
            pass
        begun = time.monotonic()
        events.close()
        assert time.monotonic() - begun < 1.5
    assert (tmp_path / "file.part").stat().st_size == 90_000


def test_redirects_lead_to_the_web_only(tmp_path: Path) -> None:
    behaviour = Behaviour(BODY)
    with serving(behaviour) as url:
        behaviour.redirect = url.replace("/file", "/moved")
        assert fetch(url, tmp_path / "file").read_bytes() == BODY
        secret = tmp_path / "secret"
        secret.write_bytes(BODY)
        for elsewhere in (secret.as_uri(), "ftp://127.0.0.1/file", "data:,x"):
            behaviour.redirect = elsewhere
            with pytest.raises(BadSource):
                fetch(url, tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://localhost/x", "/etc/passwd"])
def test_only_addresses_of_the_web(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadSource, match="not an address of the web"):
        fetch(url, tmp_path / "file")


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="locks are not there on this system")
    with serving(Behaviour(BODY, cut_after=[90_000], silent=True)) as url:
        first = download(remote(url), tmp_path / "file")
        next(first)
        with pytest.raises(BadSource, match="Another program is downloading"):
            fetch(url, tmp_path / "file")
        first.close()


def test_a_server_that_answers_is_reachable() -> None:
    with serving(Behaviour(BODY)) as url:
        assert list(connection.reachable(url))[-1]
