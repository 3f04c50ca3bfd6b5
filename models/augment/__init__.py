"""Ways to make more training rows, by name; a new one is a file, a line here, and one in the schema.

None of them knows where its model lies: that is told by `tasks/io/augmenting.py`.
"""

from models.augment.back_translation import BackTranslation
from models.augment.base import Augmenter, Teachers
from models.augment.crossover import Crossover
from models.augment.masked_words import MaskedWords
from models.schemas.augment_fields import AugmentName

AUGMENTERS: dict[AugmentName, type[Augmenter]] = {
    "crossover": Crossover,
    "masked_words": MaskedWords,
    "back_translation": BackTranslation,
}

__all__ = ["AUGMENTERS", "Augmenter", "BackTranslation", "Crossover", "MaskedWords", "Teachers"]
