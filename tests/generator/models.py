"""Tiny diffusion models with random weights, in both of diffusers' layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


def tiny_network(**changes: Any) -> Any:
    """Return a UNet of 16 px with random weights that are far enough from zero to make a picture of the noise."""
    from diffusers import UNet2DModel

    settings = {
        "sample_size": 16, "block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4,
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"), "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        "attention_head_dim": 8,
    }  # fmt: skip
    torch.manual_seed(11)
    return UNet2DModel(**{**settings, **changes}).eval()


def tiny_scheduler(**changes: Any) -> Any:
    """Return the scheduler that goes with it."""
    from diffusers import DDPMScheduler

    return DDPMScheduler(**{"num_train_timesteps": 1000, "beta_schedule": "squaredcos_cap_v2", **changes})


def save_tiny(folder: Path, *, flat: bool = False, index: bool = True, **noise: Any) -> Path:
    """Write the model as a folder: as a pipeline's (with `flat` as google/ddpm-cat-256's)."""
    network, scheduler = tiny_network(), tiny_scheduler(**noise)
    network.save_pretrained(folder if flat else folder / "unet")
    scheduler.save_pretrained(folder if flat else folder / "scheduler")
    if index:
        (folder / "model_index.json").write_text(
            '{"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"], '
            '"scheduler": ["diffusers", "DDPMScheduler"]}'
        )
    return folder


CAT_256 = {
    "attention_head_dim": None, "block_out_channels": [128, 128, 256, 256, 512, 512], "center_input_sample": False,
    "down_block_types": [*4 * ["DownBlock2D"], "AttnDownBlock2D", "DownBlock2D"], "downsample_padding": 0,
    "flip_sin_to_cos": False, "freq_shift": 1, "act_fn": "silu", "in_channels": 3, "out_channels": 3,
    "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-06, "norm_num_groups": 32, "sample_size": 256,
    "time_embedding_type": "positional", "up_block_types": ["UpBlock2D", "AttnUpBlock2D", *4 * ["UpBlock2D"]],
}  # fmt: skip
"""The configuration of google/ddpm-cat-256."""
CAT_256_NOISE = {
    "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001, "clip_sample": True,
    "num_train_timesteps": 1000, "trained_betas": None, "variance_type": "fixed_small",
}  # fmt: skip
