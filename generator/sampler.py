"""Sampling pictures from a diffusion model, one evaluation at a time, so that a job can be followed and stopped.

DDPM: Ho et al., NeurIPS 2020. DDIM: Song et al., ICLR 2021. DPM-Solver++: Lu et al., 2022. UniPC: Zhao et al., NeurIPS
2023. The steps are diffusers' schedulers; only the loop around them is ours.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.weights import DType, Model

BEAT_S = 0.4
"""So often an event comes at least, also while one evaluation takes longer."""
PEEK_S = 0.5
MAX_SEED = 2**63 - 1
STOPPABLE = frozenset(("ResnetBlock2D", "Attention"))
"""The parts of a network before which it can be stopped; each takes a fraction of a second."""
NO_MEMORY = (
    "can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "bad allocation",
    "could not create a primitive", "could not execute a primitive",
)  # fmt: skip
"""How torch's allocators say so on a CPU; the last two are oneDNN's."""

T = TypeVar("T")


class CannotSample(Exception):
    """A job that cannot be done; `str()` is one sentence that says why and what to do."""


@dataclass(frozen=True)
class SampleSpec:
    """How pictures are sampled. Picture i depends on `seed` + i, the model and the rest of this, and nothing else.

    `eta` is DDIM's: 0 adds no noise on the way, 1 as much as DDPM does.
    """

    scheduler: Literal["ddpm", "ddim", "dpm", "unipc"] = "ddim"
    steps: int = 50
    eta: float = 0.0
    batch_size: int = 16
    seed: int = 0
    device: str = "auto"
    dtype: DType = "auto"

    def __post_init__(self) -> None:
        if self.scheduler not in SCHEDULERS:
            raise CannotSample(f"There is no scheduler '{self.scheduler}'; there are {', '.join(SCHEDULERS)}.")
        if self.steps < 1 or self.batch_size < 1:
            raise CannotSample("Steps and batch size must be at least 1.")
        if not 0 <= self.eta <= 1:
            raise CannotSample(f"Eta must be between 0 and 1, not {self.eta}.")
        if self.eta and self.scheduler != "ddim":
            raise CannotSample(f"Only the scheduler ddim takes an eta, not {self.scheduler}: leave --eta out.")
        if not 0 <= self.seed <= MAX_SEED:
            raise CannotSample(f"The seed must be between 0 and {MAX_SEED}.")


@dataclass(frozen=True)
class Step:
    """Progress: `done` of `total` network evaluations, counted for each picture."""

    unit: ClassVar[str] = "steps"
    done: int
    total: int


@dataclass(frozen=True)
class Halved:
    """A batch did not fit into memory; the job goes on with batches of `batch_size`."""

    batch_size: int


@dataclass(frozen=True)
class Peek:
    """Where a batch is on its way from noise to pictures: (N, S, S, 3) bytes."""

    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Sample:
    """A finished picture, (S, S, 3) bytes, and the seed that it was made from."""

    seed: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """A scheduler of diffusers, and what its step takes beside answer, time and picture."""

    name: str
    options: Callable[[SampleSpec, list[torch.Generator]], dict[str, Any]]


SCHEDULERS: Mapping[str, Row] = {
    "ddpm": Row("DDPMScheduler", lambda _spec, noise: {"generator": noise}),
    "ddim": Row("DDIMScheduler", lambda spec, noise: {"eta": spec.eta, "generator": noise}),
    "dpm": Row("DPMSolverMultistepScheduler", lambda _spec, _noise: {}),
    "unipc": Row("UniPCMultistepScheduler", lambda _spec, _noise: {}),
}


def sample(model: Model, spec: SampleSpec, seeds: Sequence[int]) -> Iterator[Step | Halved | Sample | Peek]:
    """Sample a picture from each seed, in order; closing it stops within a layer of the network.

    A picture is the same in any batch within one grey level (single precision). Raises `CannotSample`.
    """
    cut = [seeds[at : at + spec.batch_size] for at in range(0, len(seeds), spec.batch_size)]
    yield from sample_batches(model, spec, cut)


def sample_batches(
    model: Model, spec: SampleSpec, batches: Sequence[Sequence[int]], *, peeks: bool = False
) -> Iterator[Step | Halved | Sample | Peek]:
    """Sample batches of seeds as they were put together, so that even the last bit of a picture can be repeated.

    With `peeks` a batch is also shown as it is on its way, at most twice a second; that changes no picture.
    Where a batch does not fit into memory it is halved, and so is every later one. Raises `CannotSample`.
    """
    waiting, done, limit, due = deque(batches), 0, max(map(len, batches), default=0), 0.0
    total = len(build_scheduler(model, spec).timesteps) * sum(map(len, batches))
    with _Worker(model) as worker:
        while waiting:
            seeds = waiting.popleft()
            if len(seeds) > limit:
                waiting.extendleft((seeds[limit:], seeds[:limit]))
                continue
            fits = True
            try:
                for pictures in _denoised(worker, model, spec, seeds):
                    yield Step(done + pictures.evaluations, total)
                    if peeks and pictures.x is not None and time.monotonic() >= due:
                        yield Peek(_bytes_of(pictures.x))
                        due = time.monotonic() + PEEK_S
                    for place, pixels in enumerate(() if pictures.pixels is None else pictures.pixels):
                        yield Sample(seeds[place], pixels)
                done += pictures.evaluations
            except _NoMemory:
                fits = False  # what the error holds on to is let go before the next attempt
            if not fits:
                limit = _half(len(seeds), model)
                waiting.appendleft(seeds)
                yield Halved(limit)


def build_scheduler(model: Model, spec: SampleSpec) -> Any:
    """Return the diffusers scheduler with the model's own configuration, its time steps set; raises `CannotSample`."""
    import diffusers

    trained = int(model.scheduler.get("num_train_timesteps", 1000))
    if spec.steps > trained:
        raise CannotSample(f"{spec.steps} steps are more than the {trained} that {model.name} was trained with.")
    scheduler: Any = getattr(diffusers, SCHEDULERS[spec.scheduler].name).from_config(dict(model.scheduler))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # diffusers hands tensors to numpy in an old way
        scheduler.set_timesteps(spec.steps)
    return scheduler


@dataclass(frozen=True)
class _Pictures:
    """Where a batch is: evaluations made, the noisy pictures after the latest, and (N, S, S, 3) bytes at the end."""

    evaluations: int
    pixels: NDArray[np.uint8] | None = None
    x: Tensor | None = None


def _denoised(worker: _Worker, model: Model, spec: SampleSpec, seeds: Sequence[int]) -> Iterator[_Pictures]:
    scheduler = build_scheduler(model, spec)
    noise = [torch.Generator().manual_seed(seed) for seed in seeds]
    options = SCHEDULERS[spec.scheduler].options(spec, noise)
    x, done = _start(model, noise), 0
    for step in scheduler.timesteps:
        job = worker.begin(_denoise_step, model, scheduler, step, x, options)
        while not worker.ready(job):
            yield _Pictures(done)
        x, done = job.result(), done + len(seeds)
        yield _Pictures(done, x=x)
    finish = worker.begin(_pixels, x)
    while not worker.ready(finish):
        yield _Pictures(done)
    pixels = finish.result()
    if pixels is None:
        raise CannotSample(f"{model.name} gave values that are no numbers; try --dtype fp32.")
    yield _Pictures(done, pixels)


def _start(model: Model, noise: list[torch.Generator]) -> Tensor:
    """Return the first noise, single precision: drawn on the CPU, so that no device and no precision changes it."""
    shape = (3, model.size, model.size)
    x = torch.stack([torch.randn(shape, generator=source) for source in noise]).to(model.device)
    return x.contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def _denoise_step(model: Model, scheduler: Any, time: Tensor, x: Tensor, options: Mapping[str, Any]) -> Tensor:
    answer = model.network(x.to(next(model.network.parameters()).dtype), time, return_dict=False)[0]
    after: Tensor = scheduler.step(answer.float(), time, x, return_dict=False, **options)[0]
    if after.is_cuda:  # else the steps would be counted when they are asked for, not when they are done
        torch.cuda.current_stream(after.device).synchronize()
    return after


@torch.inference_mode()
def _pixels(x: Tensor) -> NDArray[np.uint8] | None:
    """Return bytes as diffusers' pipelines round them, or None where there are values that are no numbers."""
    return _bytes_of(x) if bool(torch.isfinite(x).all()) else None


@torch.inference_mode()
def _bytes_of(x: Tensor) -> NDArray[np.uint8]:
    scaled = ((x / 2 + 0.5).clamp(0, 1).cpu() * 255).round().to(torch.uint8)
    found: NDArray[np.uint8] = np.ascontiguousarray(scaled.permute(0, 2, 3, 1).numpy())
    return found


def _half(count: int, model: Model) -> int:
    if model.device.type == "cuda":
        torch.cuda.empty_cache()
    if count == 1:
        raise CannotSample(
            f"There is not enough memory on {model.device.type} for one picture of {model.size} px; close other "
            "programs, or take a smaller model or another --device."
        )
    return count // 2


def _is_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(error) for words in NO_MEMORY)


def _do(work: Callable[..., T], *arguments: object) -> T:
    """Work; an error of memory loses its traceback, which would keep alive all that an evaluation had made."""
    try:
        return work(*arguments)
    except (RuntimeError, MemoryError) as error:
        if not _is_memory(error):
            raise
    raise _NoMemory


class _NoMemory(Exception):
    """A batch does not fit."""


class _Stopped(Exception):
    """Ends an evaluation of which the result is no longer wanted."""


class _Worker:
    """One thread that computes while the caller goes on; leaving the block ends what it is at within a layer."""

    def __init__(self, model: Model) -> None:
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sampler")
        parts = [part for part in model.network.modules() if type(part).__name__ in STOPPABLE]
        self._hooks = [part.register_forward_pre_hook(self._check) for part in parts]

    def __enter__(self) -> _Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for hook in self._hooks:
            hook.remove()

    def begin(self, work: Callable[..., T], *arguments: object) -> Future[T]:
        """Start something in the thread."""
        return self._pool.submit(_do, work, *arguments)

    def ready(self, job: Future[T]) -> bool:
        """Wait for a job, but not for long; return whether it has ended."""
        return bool(wait((job,), BEAT_S).done)

    def _check(self, *_: object) -> None:
        if self._stop.is_set():
            raise _Stopped
