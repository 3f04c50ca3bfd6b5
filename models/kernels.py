"""Faster matrix products of linear layers on CPUs where PyTorch's default library is slow.

On x86 PyTorch hands float32 products to MKL, which on AVX-512 processors not made by Intel runs its AVX2
code: half the speed of oneDNN, which PyTorch carries too. The sums are the same up to float32 rounding.
"""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

Precision = Literal["auto", "fp32", "bf16"]
_LEAST_PRODUCT = 1 << 20
"""Multiplications below which calling a function in Python costs more than they do."""


class _OneDnnProduct(torch.autograd.Function):
    """y = x W^T + b, forward and backward by oneDNN; x is (..., in), W (out, in), y (..., out).

    Its derivative is made of itself, so it can be differentiated again, and `torch.func.vmap` knows it.
    """

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return _product(x, weight, bias)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Tensor) -> None:
        del output
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - autograd's type
        x, weight = ctx.saved_tensors
        wants_x, wants_weight, wants_bias = ctx.needs_input_grad
        flat = grad.reshape(-1, grad.shape[-1])
        grad_x = _linear(grad, weight.t(), None) if wants_x else None
        grad_weight = _linear(flat.t(), x.reshape(-1, x.shape[-1]).t(), None) if wants_weight else None
        return grad_x, grad_weight, flat.sum(0) if wants_bias else None

    @staticmethod
    def vmap(
        info: Any,  # noqa: ANN401 - torch's own record
        in_dims: tuple[int | None, ...],
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
    ) -> tuple[Tensor, int]:
        """Multiply rows of all by one weight at once; by weights of their own one after the other."""
        x, weight, bias = (_leading(t, dim) for t, dim in zip((x, weight, bias), in_dims, strict=True))
        x_dim, weight_dim, bias_dim = in_dims
        if weight_dim is None and x_dim is not None:
            if bias_dim is None or bias is None:
                return _linear(x, weight, bias), 0
            apart = bias.reshape(len(bias), *[1] * (x.ndim - 2), -1)
            return _linear(x, weight, None) + apart, 0
        # `unbind` and not indexing: the gradient of an index is a whole tensor of zeros for each of them.
        many = info.batch_size
        xs = [x] * many if x_dim is None else x.unbind()
        weights = [weight] * many if weight_dim is None else weight.unbind()
        biases = [bias] * many if bias is None or bias_dim is None else bias.unbind()
        each = [_linear(*one) for one in zip(xs, weights, biases, strict=True)]
        return torch.stack(each), 0


class _OneDnnLinear(nn.Linear):
    """A linear layer that multiplies float32 by oneDNN, and anything else as its base does."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the base's name
        plain = input.dtype == torch.float32 and input.device.type == "cpu"
        plain = plain and input.numel() * len(self.weight) >= _LEAST_PRODUCT
        # What torch.compile makes of a layer is its own, and knows nothing of this product.
        if not plain or torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling():
            return super().forward(input)
        return _linear(input, self.weight, self.bias)


@contextmanager
def fast_linears(model: nn.Module) -> Iterator[None]:
    """Run a model's linear layers by oneDNN inside the block, where that is the faster library.

    Weights and their names stay as they are. The choice rests on the processor and the product's size, never
    on a timing, so that a run and its resumption add in the same order.
    """
    swapped = [m for m in model.modules() if type(m) is nn.Linear] if one_dnn_is_faster() else []
    for module in swapped:
        module.__class__ = _OneDnnLinear
    try:
        yield
    finally:
        for module in swapped:
            module.__class__ = nn.Linear


def in_bfloat16(precision: Precision, device: str) -> bool:
    """Tell whether matrices are multiplied in bf16: where asked for, and under `auto` where that is faster.

    Args:
        precision: What is asked for.
        device: `cpu` or `cuda`; a CPU is fast if it has instructions for bf16 (AVX512-BF16 or AMX).
    """
    if precision != "auto":
        return precision == "bf16"
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities()
    return device == "cpu" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))


@cache
def one_dnn_is_faster() -> bool:
    """Tell whether this is an AVX-512 processor on which MKL does not use AVX-512."""
    backends: Any = torch.backends
    return bool(
        backends.mkldnn.is_available()
        and backends.mkl.is_available()
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and _maker() == "AuthenticAMD"
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def _maker() -> str:
    """Name the processor's maker as it names itself."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor()
    lines = info.read_text("utf-8", errors="replace").splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("vendor_id")), "")


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Multiply, differentiably where that is asked for."""
    if not torch.is_grad_enabled() and not torch._C._are_functorch_transforms_active():
        return _product(x, weight, bias)
    product: Tensor = _OneDnnProduct.apply(x, weight, bias)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
    return product


def _leading(tensor: Tensor | None, dim: int | None) -> Any:  # noqa: ANN401 - None stays None
    """Bring the dimension that `torch.func.vmap` runs over to the front."""
    return tensor if tensor is None or dim is None else tensor.movedim(dim, 0)


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product
