"""What a detector's card says of its input. Apart from the code that does it, so that a card is read without numpy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Preprocess(BaseModel):
    """How pixels become input; part of every detector's card, because even the resize kernel moves a verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["resize", "tiles"] = "resize"
    """`resize`: shorter side to `resize`, then the centre. `tiles`: up to `tiles` × `tiles` native squares."""
    size: int = Field(224, ge=32, le=1024)
    """Side of the network's input in pixels."""
    resize: int = Field(256, ge=32, le=2048)
    kernel: Literal["box", "bilinear", "bicubic", "lanczos"] = "bilinear"
    tiles: int = Field(1, ge=1, le=8)
    mean: tuple[Finite, Finite, Finite] = IMAGENET_MEAN
    std: tuple[Positive, Positive, Positive] = IMAGENET_STD
