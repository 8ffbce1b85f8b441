from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps

from classifier.runtime import Heat
from forensics_app.core.colour_maps import COLOUR_MAPS, table
from forensics_app.core.overlay import coloured


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_the_tables_are_matplotlibs(name: str) -> None:
    assert np.array_equal(table(name), colormaps[name](np.arange(256), bytes=True)[:, :3])


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_values_are_coloured_as_matplotlib_does(name: str) -> None:
    values = np.linspace(0, 1, 1001, dtype=np.float32)[None]
    expected = colormaps[name](values, bytes=True)[..., :3]
    assert np.array_equal(coloured(Heat(values, ()), name), expected)


def test_no_other_name_is_known() -> None:
    with pytest.raises(ValueError, match="tuple"):
        table("jet")
