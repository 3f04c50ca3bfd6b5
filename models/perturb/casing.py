"""Another case, as in shouted or carelessly typed words."""

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.perturb.base import WordPerturbation


class Casing(WordPerturbation):
    """Write words with a capital letter in lower case, and others in capitals.

    An encoder that lower-cases what it reads does not see the difference, and scores as before.
    """

    name: ClassVar[str] = "casing"

    def able(self, words: pa.Array) -> np.ndarray:
        """Tell which words have two cases."""
        same = pc.equal(pc.utf8_lower(words), pc.utf8_upper(words))
        two: np.ndarray = pc.invert(same).to_numpy(zero_copy_only=False)
        return two

    def change(self, words: pa.Array, noise: np.ndarray) -> pa.Array:
        """Turn the case of each word."""
        del noise
        lower = pc.utf8_lower(words)
        return pc.if_else(pc.equal(words, lower), pc.utf8_upper(words), lower)
