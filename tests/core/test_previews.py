from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from forensics_app.core.previews import LIMITS, Preview, Previewing, prepare, preview_of
from forensics_app.core.worker import Refused, Task
from forensics_app.core.workers import Asked, Outcome, Workers
from tests.conftest import write_picture


def made(path: Path | str, side_px: int = 64) -> Preview | None:
    job = Previewing(side_px)
    task = Task(str(path))
    return preview_of(job.work(task, job.read(task)[1]))


def test_a_picture_becomes_small_and_keeps_its_shape(tmp_path: Path) -> None:
    small = made(write_picture(tmp_path / "wide.jpg", 800, 200))
    assert small is not None
    assert (small.width, small.height, len(small.rgb)) == (64, 16, 64 * 16 * 3)
    tiny = made(write_picture(tmp_path / "tiny.png", 5, 3))
    assert tiny is not None
    assert (tiny.width, tiny.height) == (5, 3)


def test_what_lies_in_an_archive_is_found(tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a.png", 40, 30)
    with zipfile.ZipFile(tmp_path / "box.zip", "w") as box:
        box.write(picture, "inner/a.png")
    assert made(f"{tmp_path}/box.zip!/inner/a.png") == made(picture)
    with pytest.raises(Refused, match="no longer in its archive"):
        made(f"{tmp_path}/box.zip!/inner/b.png")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n and no more"])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(Refused):
        made(tmp_path / "x.png")


@pytest.mark.parametrize(
    "answer", [{}, {"width": 2, "height": 2, "rgb": "AAAA"}, {"width": -1, "height": -1, "rgb": "AAAA"}]
)
def test_an_answer_that_no_sound_worker_gives_is_none(answer: dict[str, object]) -> None:
    assert preview_of(answer) is None


def test_a_worker_makes_them_one_after_the_other(tmp_path: Path) -> None:
    tasks = [Task(str(write_picture(tmp_path / f"{at}.png", 50, 50, seed=at))) for at in range(3)]
    waiting, found = list(tasks), dict[str, Preview | None]()
    with Workers(prepare, 32, limits=LIMITS) as crew:
        crew.start()
        while len(found) < 3:
            while waiting and crew.room:
                crew.give(waiting.pop())
            for said in crew.wait(1.0):
                if isinstance(said, Asked):
                    crew.reply(said, wanted=True)
                elif isinstance(said, Outcome):
                    found[said.task.path] = preview_of(said.answer or {})
    assert [one.width if one else 0 for one in found.values()] == [32] * 3
