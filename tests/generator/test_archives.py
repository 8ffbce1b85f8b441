"""Archives from outside: the pictures come out, and nothing else does, however the archive was made."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.archives import Unpacked, extract, unpacked
from generator.connection import BadSource
from generator.downloads import Fetching
from generator.entries import Limits, Wanted
from tests.conftest import write_picture
from tests.generator.sources import tar_gz, tarred, zipped


@pytest.fixture
def picture(tmp_path: Path) -> bytes:
    return write_picture(tmp_path / "one.jpg").read_bytes()


def run(archive: Path, to: Path, wanted: Wanted | None = None, limits: Limits | None = None) -> Unpacked:
    *events, last = extract(archive, to, wanted=wanted or Wanted(), limits=limits or Limits())
    assert all(isinstance(event, Fetching) for event in events)
    assert isinstance(last, Unpacked)
    return last


def refused(archive: Path, words: str, limits: Limits | None = None) -> None:
    """Assert that an archive is refused in a sentence that names it, and that nothing was written."""
    to = archive.parent / "refused" / "pictures"
    with pytest.raises(BadSource, match=words) as caught:
        run(archive, to, limits=limits)
    assert str(caught.value).startswith(archive.name)
    assert str(caught.value).isascii()
    assert not list(to.parent.rglob("*"))


KINDS = pytest.mark.parametrize("make", [zipped, tarred, tar_gz])


@KINDS
def test_pictures_come_out_in_the_order_of_their_names(
    make: Callable[..., Path], tmp_path: Path, picture: bytes
) -> None:
    files = {"set/b.PNG": b"b", "set/a.jpg": picture, "read me.txt": b"no", "set/no.py": b"import os", "c.webp": b"ccc"}
    found = run(make(tmp_path / "archive", files), tmp_path / "out")
    assert [name for name, _ in found.pictures] == ["c.webp", "set/a.jpg", "set/b.PNG"]
    assert {name: path.read_bytes() for name, path in found.pictures} == {n: files[n] for n in dict(found.pictures)}
    assert all(path.parent == tmp_path / "out" for _, path in found.pictures)
    assert found.left_out == {}


@KINDS
def test_a_second_time_nothing_is_unpacked(make: Callable[..., Path], tmp_path: Path) -> None:
    archive = make(tmp_path / "archive", {"a.jpg": b"a", "b.jpg": b"b"})
    first = run(archive, tmp_path / "out")
    archive.unlink()
    assert run(archive, tmp_path / "out") == first
    first.pictures[0][1].unlink()
    assert unpacked(tmp_path / "out") is None, "what is no longer complete is not taken"


@KINDS
@pytest.mark.parametrize("name", [
    "../evil.jpg", "a/../../evil.jpg", "/tmp/evil.jpg", "C:\\evil.jpg", "c:evil.jpg", "..\\evil.jpg",
    "\\\\host\\evil.jpg", "../evil.sh",
])  # fmt: skip
def test_names_that_lead_out_are_refused(make: Callable[..., Path], tmp_path: Path, name: str) -> None:
    refused(make(tmp_path / "archive", {"good.jpg": b"good", name: b"evil"}), "outside of its folder")
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/tmp/evil.jpg").exists()


def test_odd_names_are_only_names(tmp_path: Path) -> None:
    """What a name says never becomes a path here, so that no system's rules about names matter."""
    names = [
        "CON.jpg",
        "aa:b?.jpg",
        "x" * 300 + ".jpg",
        "trailing./dot .jpg",
        "\u202egpj.exe.jpg",
        "PetImages\\Cat\\0.jpg",
    ]
    found = run(zipped(tmp_path / "a.zip", {name: name.encode() for name in names}), tmp_path / "out")
    assert {path.read_bytes().decode() for _, path in found.pictures} == set(names)
    assert {path.name for _, path in found.pictures} == {f"{number:06}.jpg" for number in range(6)}
    assert "PetImages/Cat/0.jpg" in dict(found.pictures)


def test_a_name_that_is_no_utf8_can_be_written_down(tmp_path: Path) -> None:
    found = run(tarred(tmp_path / "a.tar", {"caf\udce9.jpg": b"x"}, layout=tarfile.GNU_FORMAT), tmp_path / "out")
    assert [name for name, _ in found.pictures] == ["caf\\xe9.jpg"]


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_of_tar(tmp_path: Path, layout: int) -> None:
    names = ["ü" * 90 + f"/{'long' * 40}.jpg", "short.jpg"]
    found = run(tarred(tmp_path / "a.tar", {name: name.encode() for name in names}, layout=layout), tmp_path / "out")
    assert {name: path.read_text() for name, path in found.pictures} == {name: name for name in names}


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE):
            info = tarfile.TarInfo(f"{ord(kind)}.jpg")
            info.type, info.linkname = kind, str(secret)
            archive.addfile(info)
        for name in ("49.jpg/through.jpg", "real.jpg"):
            archive.addfile(tarfile.TarInfo(name))
    found = run(tmp_path / "a.tar", tmp_path / "out")
    assert [name for name, _ in found.pictures] == ["49.jpg/through.jpg", "real.jpg"]
    assert found.left_out == {"links": 2, "devices and pipes": 3}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zips:
        link = zipfile.ZipInfo("link.jpg")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        zips.writestr(link, str(secret))
        zips.writestr("real.jpg", b"x")
    found = run(tmp_path / "a.zip", tmp_path / "zip")
    assert ([name for name, _ in found.pictures], found.left_out) == (["real.jpg"], {"links": 1})
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink()]


@KINDS
def test_a_bomb_is_refused_before_it_fills_anything(make: Callable[..., Path], tmp_path: Path) -> None:
    bomb = make(tmp_path / "bomb", {"good.jpg": b"x", "zeros.bmp": bytes(50_000_000)})
    if make is tarred:
        assert len(run(bomb, tmp_path / "out").pictures) == 2, "what is not packed is no bomb"
        return
    assert bomb.stat().st_size < 60_000
    begun = time.monotonic()
    refused(bomb, "is a bomb")
    assert time.monotonic() - begun < 3


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_said(tmp_path: Path) -> None:
    data = zipped(tmp_path / "honest.zip", {"zeros.jpg": bytes(5_000_000)}).read_bytes()
    lying = data.replace(struct.pack("<L", 5_000_000), struct.pack("<L", 1000))
    (tmp_path / "lying.zip").write_bytes(lying)
    refused(tmp_path / "lying.zip", "no pictures that can be used .1 damaged")


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """The quoted overlap of Fifield, "A better zip bomb" (2019), in its simplest form: one file under many names."""
    zipped(tmp_path / "a.zip", {"a.jpg": random.Random(0).randbytes(2000)})
    data = (tmp_path / "a.zip").read_bytes()
    begin, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    record = data[begin:end]
    records = b"".join(record.replace(b"a.jpg", b"%d.jpg" % number) for number in range(5))
    tail = bytearray(data[end:])
    struct.pack_into("<HHL", tail, 8, 5, 5, len(records))
    (tmp_path / "b.zip").write_bytes(data[:begin] + records + tail)
    refused(tmp_path / "b.zip", "overlap")


def test_nested_archives_are_not_opened(tmp_path: Path, picture: bytes) -> None:
    inner = zipped(tmp_path / "inner.zip", {"a.jpg": picture}).read_bytes()
    refused(zipped(tmp_path / "a.zip", {"inner.zip": inner}), "holds no pictures but other archives")
    refused(tar_gz(tmp_path / "a.tar.gz", {"inner.tar.gz": inner}), "holds no pictures but other archives")
    found = run(zipped(tmp_path / "b.zip", {"inner.zip": inner, "a.jpg": picture}), tmp_path / "out")
    assert (len(found.pictures), found.left_out) == (1, {"archives inside it": 1})


def test_encrypted_entries_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", {"a.jpg": b"x" * 100}).read_bytes())
    for place in (data.index(b"PK\3\4") + 6, data.index(b"PK\1\2") + 8):
        data[place] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "encrypted: unpack it")


def test_a_wrong_checksum_costs_its_own_entry(tmp_path: Path) -> None:
    data = zipped(tmp_path / "a.zip", {"a.jpg": b"aaaa", "b.jpg": b"bbbb"}, zipfile.ZIP_STORED).read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(b"aaaa", b"aaab"))
    found = run(tmp_path / "a.zip", tmp_path / "out")
    assert [(name, path.read_bytes()) for name, path in found.pictures] == [("b.jpg", b"bbbb")]
    assert found.left_out == {"damaged": 1}
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 1


def test_a_wrong_checksum_of_a_tar_gz_spoils_it(tmp_path: Path) -> None:
    data = bytearray(tar_gz(tmp_path / "a.tar.gz", {"a.jpg": b"a" * 600}).read_bytes())
    data[-6] ^= 1
    (tmp_path / "a.tar.gz").write_bytes(data)
    refused(tmp_path / "a.tar.gz", "damaged or cut off")


@KINDS
def test_an_archive_that_is_cut_off_is_refused(make: Callable[..., Path], tmp_path: Path) -> None:
    data = make(tmp_path / "a", {f"{i}.jpg": random.Random(i).randbytes(5000) for i in range(4)}).read_bytes()
    for size in (600, len(data) // 2, len(data) // 2 + 300):
        (tmp_path / "a").write_bytes(data[:size])
        refused(tmp_path / "a", "damaged or cut off")


def test_repeated_names_are_taken_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.jpg", b"first")
        archive.writestr("a.jpg", b"second")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for data in (b"first", b"second!"):
            info = tarfile.TarInfo("./a.jpg")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    for archive_path in (tmp_path / "a.zip", tmp_path / "a.tar"):
        found = run(archive_path, tmp_path / f"{archive_path.name} out")
        assert [path.read_bytes() for _, path in found.pictures] == [b"first"]
        assert found.left_out == {"repeated names": 1}


@KINDS
def test_limits_of_count_depth_and_size(make: Callable[..., Path], tmp_path: Path) -> None:
    files = {f"a/b/{number}.jpg": random.Random(number).randbytes(3000) for number in range(20)}
    archive = make(tmp_path / "archive", files)
    refused(archive, "entries", Limits(max_files=5))
    refused(archive, "folders deep", Limits(max_depth=1))
    refused(archive, "limit", Limits(max_total=20_000))


def test_a_directory_for_millions_of_entries_is_refused_unread(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", {"a.jpg": b"x"}).read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\5\6") + 12, 2**31)
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "directory has 2,147,483,648 bytes")


def test_a_header_of_gigabytes_is_refused(tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        info = tarfile.TarInfo("a.jpg")
        info.type, info.size = kind, 4 * 2**30
        with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
            file.write(info.tobuf(tarfile.GNU_FORMAT) + bytes(100_000))
        refused(tmp_path / "a.tar.gz", r"header of 4,294,967,296 bytes")


def test_hidden_files_are_no_pictures(tmp_path: Path) -> None:
    files = {"__MACOSX/._a.jpg": b"x", "set/.hidden.jpg": b"x", ".cache/a.jpg": b"x", "a.jpg": b"x"}
    found = run(zipped(tmp_path / "a.zip", files), tmp_path / "out")
    assert [name for name, _ in found.pictures] == ["a.jpg"]


def test_only_what_is_wanted_is_unpacked(tmp_path: Path) -> None:
    files = {"images/Abyssinian_1.jpg": b"cat", "images/beagle_1.jpg": b"dog"}
    found = run(tar_gz(tmp_path / "a.tar.gz", files), tmp_path / "out", Wanted(r"(^|/)[A-Z][^/]*$"))
    assert [path.read_bytes() for _, path in found.pictures] == [b"cat"]


@pytest.mark.parametrize("data", [b"", b"x" * 2000, b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c" + bytes(600), bytes(10_240)])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "no zip, tar or tar.gz: unpack it")


def test_closing_leaves_nothing(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {f"{i}.jpg": random.Random(i).randbytes(4_000_000) for i in range(6)})
    events = extract(archive, tmp_path / "new" / "out")
    assert isinstance(next(events), Fetching)
    events.close()
    assert not list((tmp_path / "new").iterdir())


@KINDS
def test_broken_bytes_end_in_a_sentence(make: Callable[..., Path], tmp_path: Path, picture: bytes) -> None:
    """Whatever is changed in an archive: it is unpacked or refused, and never a traceback."""
    good = make(tmp_path / "good", {"set/a.jpg": picture, "b" * 120 + ".jpg": b"b" * 700}).read_bytes()
    rng, bad = random.Random(3), tmp_path / "bad.zip"
    for number in range(150):
        data = bytearray(good)
        spots = [p for p in (data.find(b"PK\1\2"), data.find(b"PK\5\6"), 0) if p >= 0]
        for _ in range(rng.choice((1, 2, 8))):
            near = rng.choice(spots) + rng.randrange(60) if rng.random() < 0.7 else rng.randrange(len(data))
            data[min(near, len(data) - 1)] = rng.randrange(256)
        bad.write_bytes(data)
        try:
            run(bad, tmp_path / f"out{number}")
        except BadSource as error:
            assert str(error).startswith("bad.zip cannot be used. It")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
