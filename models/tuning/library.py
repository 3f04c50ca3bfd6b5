"""The `peft` library, which takes seconds to import and is asked for only where a method needs it."""

import warnings
from types import ModuleType
from typing import Any

from torch import nn

from models.errors import ConfigError


def peft() -> ModuleType:
    """Give the library.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import peft as library
    except ImportError as error:
        raise ConfigError(
            "This way of tuning needs the package peft, which is not installed "
            f"({error}). Install it with `pip install 'quickstudy[peft]'`, or choose tuning: full, bitfit or "
            "bottleneck."
        ) from error
    module: ModuleType = library
    return module


def inject(pretrained: nn.Module, settings: Any) -> nn.Module:  # noqa: ANN401 - one of the library's configs
    """Replace a model's target layers by the library's, in place; only what they add trains."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it sets by itself for GPT-2's transposed layers
        injected: nn.Module = peft().inject_adapter_in_model(settings, pretrained)
    return injected


def put_in_front(pretrained: nn.Module, settings: Any) -> nn.Module:  # noqa: ANN401
    """Wrap a model by the library's, which reads learned vectors first; only those train."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it asks of transformers by an old name
        wrapped: nn.Module = peft().get_peft_model(pretrained, settings)
    return wrapped


def merge_layers(tuned: nn.Module) -> nn.Module:
    """Write what each of the library's layers learned into the layer it stands for, and put that one back."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, layer in list(tuned.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            layer.merge(safe_merge=True)
            parent, _, own = name.rpartition(".")
            setattr(tuned.get_submodule(parent), own, layer.get_base_layer())
    return tuned
