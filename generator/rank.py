"""One of several processes that share a job, as `accelerate launch` starts it: its batches are sampled and written.

torch is imported only when the job begins, so that a process whose parent has gone meanwhile ends at once.
"""

from __future__ import annotations

import _thread
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

TELL_S = 0.2
LAST_WORD_S = 1.0


def main(job: Path) -> int:
    """Do this process's share of a job; progress and errors are lines of JSON. Return the exit code."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        return _share(json.loads(job.read_text(encoding="utf-8")), int(os.environ["RANK"]))
    except KeyboardInterrupt:
        return 0  # as was wanted: a failure would make the launcher write a report and end the others by force


def _share(job: dict[str, Any], rank: int) -> int:
    from classifier.nets import BadDevice
    from generator.sampler import CannotSample
    from generator.weights import BadModel

    try:
        _work(job, rank, int(os.environ["WORLD_SIZE"]))
    except (BadModel, BadDevice, CannotSample, OSError, MemoryError) as error:
        _tell({"error": str(error) or type(error).__name__})
        return 1
    return 0


def _work(job: dict[str, Any], rank: int, world: int) -> None:
    import torch

    from generator.fakes import write_batches
    from generator.sampler import Halved, SampleSpec, Step
    from generator.weights import open_model

    spec = SampleSpec(**job["spec"])
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    model = open_model(job["model"], device=spec.device, dtype=spec.dtype)
    told = 0.0
    for event in write_batches(model, spec, job["batches"][rank::world], Path(job["folder"])):
        if isinstance(event, Halved):
            _tell({"halved": event.batch_size})
        elif isinstance(event, Step) and (time.monotonic() - told > TELL_S or event.done == event.total):
            told = time.monotonic()
            _tell({"rank": rank, "done": event.done})


def _tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    """Stop when standard input closes: the process that wanted the pictures has gone, or wants them no longer."""
    while os.read(0, 1):
        pass
    _thread.interrupt_main()
    time.sleep(LAST_WORD_S)
    os._exit(0)  # nothing is lost: a picture that is half written is made again


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
