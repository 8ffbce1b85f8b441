"""The named sets of real pictures, a row each: where they are, what of them is wanted, and under which licence.

Sizes and hashes are those pinned by TensorFlow Datasets (Oxford), GoMLX (Microsoft) and PyTorch's own tutorials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from classifier.registry import by_name
from generator.downloads import Remote

OXFORD = "https://www.robots.ox.ac.uk/~vgg/data"
MICROSOFT = "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F"
CATS_OF_PETS = r"(^|/)[A-Z][^/]*$"
"""Oxford's pictures are named after the breed; breeds of cats begin with a capital letter."""


@dataclass(frozen=True)
class Set:
    """An archive on the web; `pattern` is searched in the names of its pictures."""

    name: str
    remote: Remote
    licence: str
    pattern: str = ""


@dataclass(frozen=True)
class KaggleSet:
    """A data set or a competition of Kaggle, fetched by kagglehub; `inner` is the archive inside with the pictures.

    `option` is the one by which people give pictures of their own instead.
    """

    name: str
    kind: Literal["dataset", "competition"]
    handle: str
    what: str
    licence: str
    pattern: str = ""
    inner: str | None = None
    option: str = "--real"

    @property
    def page(self) -> str:
        """Where to accept the rules and to download by hand."""
        return f"https://www.kaggle.com/{'datasets' if self.kind == 'dataset' else 'competitions'}/{self.handle}"


def _pets(what: str) -> Remote:
    return Remote(
        f"{OXFORD}/pets/data/images.tar.gz", what, 791_918_971,
        "67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d",
    )  # fmt: skip


ROWS: tuple[Set | KaggleSet, ...] = (
    Set("pets-cats", _pets("the cats of the Oxford-IIIT Pet set"), "CC BY-SA 4.0", CATS_OF_PETS),
    Set("pets", _pets("the Oxford-IIIT Pet set"), "CC BY-SA 4.0"),
    Set(
        "microsoft-cats",
        Remote(
            f"{MICROSOFT}/kagglecatsanddogs_5340.zip", "the cats of Microsoft's Cats and Dogs", 824_887_076,
            "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
        ),
        "none stated; Microsoft Research, for non-commercial research", r"(^|/)Cat/",
    ),
    Set(
        "flowers102",
        Remote(
            f"{OXFORD}/flowers/102/102flowers.tgz", "the Oxford 102 Flower set", 344_862_509,
            "2d01ecc807db462958cfe3d92f57a8c252b4abd240eb955770201e45f783b246",
        ),
        "none stated; pictures from the web, for research",
    ),
    Set(
        "hymenoptera",
        Remote(
            "https://download.pytorch.org/tutorial/hymenoptera_data.zip", "the ants and bees of PyTorch's tutorial",
            47_286_322, "fbc41b31d544714d18dd1230b1e2b455e1557766e13e67f9f5a7a23af7c02209",
        ),
        "none stated; from ImageNet, for research",
    ),
    KaggleSet("cat-dataset", "dataset", "crawford/cat-dataset", "Kaggle's Cat Dataset", "as its page on Kaggle says"),
    KaggleSet(
        "dogs-vs-cats", "competition", "dogs-vs-cats", "the cats of Kaggle's Dogs vs. Cats",
        "the rules of the competition on Kaggle", r"(^|/)cat\.\d+\.jpg$", "train.zip",
    ),
)  # fmt: skip
CATS = ("pets-cats", "microsoft-cats")
"""What is tried, in this order, where no source is named."""


SETS = by_name(ROWS, "sets of pictures")
