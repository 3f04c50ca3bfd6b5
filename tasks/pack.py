"""Step `pack`: texts become memory-mapped blocks of sub-words, by the model's tokenizer or a new one."""

from pathlib import Path

from models.encoder import load_tokenizer
from models.pretrain.packing import DOCUMENTS, training_texts
from models.pretrain.packing import pack as pack_texts
from models.pretrain.tokenizers import train_tokenizer
from models.schemas import ArtifactRef
from models.schemas.pretrain import Corpus, PackedCorpus, PretrainConfig
from tasks.caching import cached_step
from tasks.io.digests import checked, folder_digest
from tasks.io.folders import new_folder
from tasks.io.home import current_home
from tasks.io.step_keys import step_key

_ALSO = frozenset({"judged_texts"})


@cached_step(__name__, also=_ALSO)
def pack(config: PretrainConfig, corpus: Corpus) -> PackedCorpus:
    """Tokenize a corpus; a model that is made anew gets a tokenizer that is trained on its training texts.

    Args:
        config: The start.
        corpus: The texts.

    Raises:
        ArtifactError: The texts are not what the corpus's digest says.
    """
    documents = checked(corpus.artifact) / DOCUMENTS
    key = step_key(__name__, {"config": config, "corpus": corpus}, _ALSO)
    final = current_home().encoded / key.digest.removeprefix("pack-")
    tokenizer = (
        train_tokenizer(config, training_texts(documents))
        if config.from_scratch
        else load_tokenizer(config.encoder)
    )
    with new_folder(final) as folder:
        counts = pack_texts(config, documents, tokenizer, Path(folder))
    return PackedCorpus(
        artifact=ArtifactRef(address=str(final), digest=folder_digest(final)),
        corpus=corpus.artifact,
        blocks=counts.blocks,
        tokens=counts.tokens,
        texts=counts.texts,
    )
