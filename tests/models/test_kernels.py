import pytest
import torch
from torch import nn

from models import kernels
from models.kernels import fast_linears, in_bfloat16

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]  # torch leaves it untyped
    reason="this build of torch has no oneDNN",
)


@pytest.fixture(autouse=True)
def _always_one_dnn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use oneDNN whatever the processor and the layer's size are, so that a test says the same everywhere."""
    monkeypatch.setattr(kernels, "one_dnn_is_faster", lambda: True)
    monkeypatch.setattr(kernels, "_LEAST_PRODUCT", 0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 7), (3, 4, 7)])
def test_products_and_gradients_are_those_of_torch(bias: bool, shape: tuple[int, ...]):
    """Values and all gradients equal those of an ordinary linear layer up to float32 rounding."""
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(7, 6, bias=bias)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, generator=generator)
    x = torch.randn(shape, generator=generator).requires_grad_()
    wanted = [x, *layer.parameters()]
    expected = layer(x)
    expected_gradients = torch.autograd.grad(expected.square().sum(), wanted)
    with fast_linears(layer):
        found = layer(x)
        gradients = torch.autograd.grad(found.square().sum(), wanted)
        with torch.no_grad():
            torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients, expected_gradients)


def test_a_frozen_layer_gets_no_gradient():
    """Only what asks for a gradient gets one."""
    layer = nn.Linear(4, 4).requires_grad_(False)
    x = torch.ones(2, 4, requires_grad=True)
    with fast_linears(layer):
        layer(x).sum().backward()
    assert layer.weight.grad is None
    assert x.grad is not None


def test_a_small_product_is_torchs_own(monkeypatch: pytest.MonkeyPatch):
    """Rows count as well as weights: one row of 4 by 2 is small, two rows or 4 by 3 are not."""
    monkeypatch.setattr(kernels, "_LEAST_PRODUCT", 12)
    products = []
    for rows, width in ((1, 2), (2, 2), (1, 3)):
        layer = nn.Linear(4, width)
        with fast_linears(layer):
            products.append(type(layer(torch.ones(rows, 4)).grad_fn).__name__)
    assert products == ["AddmmBackward0", "_OneDnnProductBackward", "_OneDnnProductBackward"]


def test_layers_are_themselves_again_after_the_block():
    """After the block, and after an error in it, the layers are ordinary ones."""
    layer = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="on purpose"), fast_linears(layer):
        assert type(layer) is not nn.Linear
        raise RuntimeError("on purpose")
    assert type(layer) is nn.Linear


def test_second_derivatives_are_those_of_torch():
    """A gradient of a gradient, as meta-learning takes it, equals that of an ordinary linear layer."""
    layer = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))

    def twice() -> tuple[torch.Tensor, ...]:
        first = torch.autograd.grad(layer(x).square().sum(), list(layer.parameters()), create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in first), list(layer.parameters()))

    expected = twice()
    with fast_linears(layer):
        torch.testing.assert_close(twice(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dims", [(0, None, None), (None, 0, 0), (0, 0, None), (0, None, 0), (1, 0, 0)])
def test_many_layers_at_once_are_those_of_torch(dims: tuple[int | None, ...]):
    """Gradients under `torch.func.vmap` over inputs, weights or biases equal an ordinary layer's."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, 4, 5), (3, 6, 5), (3, 6)]
    values = [
        torch.randn(shape if dim is not None else shape[1:], generator=generator)
        for shape, dim in zip(shapes, dims, strict=True)
    ]
    if dims[0] == 1:
        values[0] = values[0].movedim(0, 1).contiguous()
    layer = nn.Linear(5, 6)

    def loss(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,)).square().sum()

    slopes = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1, 2)), in_dims=dims)
    expected = slopes(*values)
    with fast_linears(layer):
        torch.testing.assert_close(slopes(*values), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("able", "expected"), [("avx512_bf16", True), ("amx_bf16", True), ("avx2", False)])
def test_auto_is_bf16_where_the_processor_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, able: str, expected: bool
):
    """Other processors multiply bf16 slower than fp32."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {able: True})
    assert in_bfloat16("auto", "cpu") is expected


@pytest.mark.parametrize(("asked", "expected"), [("fp32", False), ("bf16", True)])
def test_a_precision_that_is_asked_for_is_taken(asked: str, expected: bool):
    """Whatever the processor has."""
    assert in_bfloat16(asked, "cpu") is expected
