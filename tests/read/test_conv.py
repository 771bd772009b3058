"""The ten forms give torch's own numbers, carry gradients, and refuse what does not fit."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnbook import conv

# torch warns that it copies the input for an even kernel with padding='same'; only its numbers matter here.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")

quick = settings(max_examples=100, deadline=None, derandomize=True)


def numbers(*shape):
    """Reproducible numbers in double precision."""
    return torch.randn(
        *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(hash(shape) % 2**31)
    )


def same(ours, torchs):
    torch.testing.assert_close(ours, torchs, rtol=1e-10, atol=1e-10)


class Geometry:
    """Random sizes that fit each other: an image (or volume) and the window that moves over it."""

    def __init__(self, draw, axes, padded=True):
        self.kernel = draw(st.tuples(*[st.integers(1, 3)] * axes))
        self.stride = draw(st.integers(1, 3) | st.tuples(*[st.integers(1, 3)] * axes))
        self.dilation = draw(st.integers(1, 2) | st.tuples(*[st.integers(1, 2)] * axes))
        paddings = (
            st.integers(0, 2) | st.tuples(*[st.integers(0, 2)] * axes) | st.sampled_from(["valid", "same"])
        )
        self.padding = draw(paddings) if padded else 0
        if self.padding == "same":
            self.stride = 1
        extra = draw(st.tuples(*[st.integers(0, 3)] * axes))
        dilation = (self.dilation,) * axes if isinstance(self.dilation, int) else self.dilation
        self.size = [d * (k - 1) + 1 + e for k, d, e in zip(self.kernel, dilation, extra, strict=True)]
        self.batch = draw(st.sampled_from([(), (1,), (2,)]))
        self.biased = draw(st.booleans())

    def image(self, channels):
        return numbers(*self.batch, channels, *self.size)

    def bias(self, channels):
        return numbers(channels) if self.biased else None

    @property
    def options(self):
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}


geometries = st.composite(lambda draw: Geometry(draw, 2))()
volumes = st.composite(lambda draw: Geometry(draw, 3))()
channels = st.integers(1, 3)


class TestEqualToTorch:
    @quick
    @given(geometries, channels, channels)
    def test_conv2d(self, g, c_in, c_out):
        x, w, b = g.image(c_in), numbers(c_out, c_in, *g.kernel), g.bias(c_out)
        same(conv.conv2d(x, w, b, **g.options), F.conv2d(x, w, b, **g.options))

    @quick
    @given(volumes, channels, channels)
    def test_conv3d(self, g, c_in, c_out):
        x, w, b = g.image(c_in), numbers(c_out, c_in, *g.kernel), g.bias(c_out)
        same(conv.conv3d(x, w, b, **g.options), F.conv3d(x, w, b, **g.options))

    @quick
    @given(geometries, channels, channels)
    def test_dilated_conv2d(self, g, c_in, c_out):
        x, w, b = g.image(c_in), numbers(c_out, c_in, *g.kernel), g.bias(c_out)
        same(conv.dilated_conv2d(x, w, b, **g.options), F.conv2d(x, w, b, **g.options))

    @quick
    @given(geometries, channels, channels)
    def test_pointwise_conv2d(self, g, c_in, c_out):
        x, w, b = g.image(c_in), numbers(c_out, c_in, 1, 1), g.bias(c_out)
        same(conv.pointwise_conv2d(x, w, b, g.stride), F.conv2d(x, w, b, g.stride))

    @quick
    @given(geometries, channels, channels, st.data())
    def test_conv_transpose2d(self, g, c_in, c_out, data):
        x, w, b = g.image(c_in), numbers(c_in, c_out, *g.kernel), g.bias(c_out)
        limit = [max(pair) for pair in zip(*map(pair_of, (g.stride, g.dilation)), strict=True)]
        extra = data.draw(st.tuples(*[st.integers(0, most - 1) for most in limit]))
        smallest = min(
            (n - 1) * s + d * (k - 1) + e + 1
            for n, k, s, d, e in zip(
                g.size, g.kernel, pair_of(g.stride), pair_of(g.dilation), extra, strict=True
            )
        )
        padding = data.draw(st.integers(0, min(2, (smallest - 1) // 2)))
        ours = conv.conv_transpose2d(x, w, b, g.stride, padding, extra, dilation=g.dilation)
        same(ours, F.conv_transpose2d(x, w, b, g.stride, padding, extra, dilation=g.dilation))

    @quick
    @given(geometries, channels, channels)
    def test_conv_matrix(self, g, c_in, c_out):
        x, w = numbers(c_in, *g.size), numbers(c_out, c_in, *g.kernel)
        matrix = conv.conv_matrix(w, tuple(g.size), **g.options)
        same(matrix @ x.flatten(), F.conv2d(x, w, **g.options).flatten())

    @quick
    @given(geometries, channels, channels, channels)
    def test_spatially_separable_conv2d(self, g, c_in, c_mid, c_out):
        k_h, k_w = g.kernel
        x, b = g.image(c_in), g.bias(c_out)
        column, row = numbers(c_mid, c_in, k_h, 1), numbers(c_out, c_mid, 1, k_w)
        product = torch.einsum("omzv,mcuz->ocuv", row, column)
        ours = conv.spatially_separable_conv2d(x, column, row, b, **g.options)
        same(ours, F.conv2d(x, product, b, **g.options))

    @quick
    @given(volumes, channels, channels, channels, channels)
    def test_flattened_conv3d(self, g, c_in, c_1, c_2, c_out):
        k_d, k_h, k_w = g.kernel
        x, b = g.image(c_in), g.bias(c_out)
        depth, column, row = (
            numbers(c_1, c_in, k_d, 1, 1),
            numbers(c_2, c_1, 1, k_h, 1),
            numbers(c_out, c_2, 1, 1, k_w),
        )
        product = torch.einsum("mcryz,nmyuz,onyzv->ocruv", depth, column, row)
        ours = conv.flattened_conv3d(x, depth, column, row, b, **g.options)
        same(ours, F.conv3d(x, product, b, **g.options))

    @quick
    @given(geometries, channels, st.integers(1, 2))
    def test_depthwise_conv2d(self, g, c, multiplier):
        x, w, b = g.image(c), numbers(c * multiplier, 1, *g.kernel), g.bias(c * multiplier)
        same(conv.depthwise_conv2d(x, w, b, **g.options), F.conv2d(x, w, b, **g.options, groups=c))

    @quick
    @given(geometries, channels, channels)
    def test_depthwise_separable_conv2d(self, g, c_in, c_out):
        x, depthwise, pointwise = g.image(c_in), numbers(c_in, 1, *g.kernel), numbers(c_out, c_in, 1, 1)
        b = g.bias(c_out)
        ours = conv.depthwise_separable_conv2d(x, depthwise, pointwise, b, **g.options)
        same(ours, F.conv2d(F.conv2d(x, depthwise, **g.options, groups=c_in), pointwise, b))

    @quick
    @given(geometries, channels, channels, st.integers(1, 3))
    def test_grouped_conv2d(self, g, c_in, c_out, groups):
        x, w, b = g.image(c_in * groups), numbers(c_out * groups, c_in, *g.kernel), g.bias(c_out * groups)
        ours = conv.grouped_conv2d(x, w, b, **g.options, groups=groups)
        same(ours, F.conv2d(x, w, b, **g.options, groups=groups))

    @quick
    @given(geometries, channels, st.integers(1, 4))
    def test_channel_shuffle(self, g, per_group, groups):
        x = numbers(2, per_group * groups, *g.size)
        assert torch.equal(conv.channel_shuffle(x, groups), F.channel_shuffle(x, groups))
        assert torch.equal(conv.channel_shuffle(x[0], groups), F.channel_shuffle(x, groups)[0])

    @quick
    @given(geometries, channels, channels, st.integers(1, 3))
    def test_shuffled_grouped_conv2d(self, g, c_in, c_out, groups):
        x, w = numbers(2, c_in * groups, *g.size), numbers(c_out * groups, c_in, *g.kernel)
        ours = conv.shuffled_grouped_conv2d(x, w, None, **g.options, groups=groups)
        same(ours, F.channel_shuffle(F.conv2d(x, w, **g.options, groups=groups), groups))


def pair_of(value):
    return (value, value) if isinstance(value, int) else value


image, volume = (1, 2, 5, 4), (1, 2, 3, 4, 3)
FORMS = {
    "conv2d": (image, (3, 2, 3, 2)),
    "conv3d": (volume, (3, 2, 2, 2, 3)),
    "dilated_conv2d": (image, (3, 2, 3, 2)),
    "pointwise_conv2d": (image, (3, 2, 1, 1)),
    "conv_transpose2d": (image, (2, 3, 3, 2)),
    "spatially_separable_conv2d": (image, (2, 2, 3, 1), (3, 2, 1, 2)),
    "flattened_conv3d": (volume, (2, 2, 2, 1, 1), (2, 2, 1, 2, 1), (3, 2, 1, 1, 2)),
    "depthwise_conv2d": (image, (4, 1, 3, 2)),
    "depthwise_separable_conv2d": (image, (2, 1, 3, 2), (3, 2, 1, 1)),
    "grouped_conv2d": (image, (4, 2, 3, 2)),
    "shuffled_grouped_conv2d": (image, (4, 2, 3, 2)),
}


@pytest.mark.parametrize(("form", "shapes"), FORMS.items(), ids=FORMS)
def test_gradients_reach_input_and_weights_and_bias(form, shapes):
    c_out = shapes[-1][1] if form == "conv_transpose2d" else shapes[-1][0]
    arguments = [numbers(*shape).requires_grad_() for shape in (*shapes, (c_out,))]
    assert torch.autograd.gradcheck(getattr(conv, form), arguments)


def test_gradients_reach_the_kernel_of_a_matrix():
    assert torch.autograd.gradcheck(lambda w: conv.conv_matrix(w, (4, 4)), numbers(3, 3).requires_grad_())


class TestNumbersOfTheCourse:
    def test_the_lecture_s_example(self):
        x = torch.tensor(
            [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
        )
        kernel = torch.tensor([[0, 1, 2], [2, 2, 0], [0, 1, 2]])
        y = conv.conv2d(x[None], kernel[None, None])[0]
        assert y.tolist() == [[12, 12, 17], [10, 17, 19], [9, 6, 14]]

    def test_pointwise_is_a_linear_layer_at_every_pixel(self):
        linear = torch.nn.Linear(64, 128).double()
        x = numbers(2, 64, 3, 3)
        pixels = linear(x.movedim(1, -1)).movedim(-1, 1)
        same(conv.pointwise_conv2d(x, linear.weight[:, :, None, None], linear.bias), pixels)

    def test_the_matrix_of_a_3x3_kernel_on_a_4x4_image(self):
        kernel = torch.arange(1.0, 10.0).reshape(3, 3)
        matrix = conv.conv_matrix(kernel, (4, 4))
        assert matrix.shape == (4, 16)
        assert matrix.count_nonzero() == 36
        first_cells = [row.nonzero()[0].item() for row in matrix]
        assert first_cells == [0, 1, 4, 5]

    def test_the_lecture_s_transposed_matrix_shifts_its_columns_by_0_1_2_3(self):
        kernel = torch.arange(1.0, 10.0).reshape(3, 3)
        right = conv.conv_matrix(kernel, (4, 4)).T
        column = right[:, 0]
        printed = torch.stack([column.roll(shift) for shift in (0, 1, 2, 3)], dim=1)
        assert printed[14:].count_nonzero() == 0
        assert (right[14:] != 0).any(dim=1).all()
        assert [torch.equal(right[:, c], printed[:, c]) for c in range(4)] == [True, True, False, False]

    def test_the_transposed_matrix_is_the_transposed_convolution_and_no_inverse(self):
        kernel, x = numbers(3, 3), numbers(4, 4)
        matrix = conv.conv_matrix(kernel, (4, 4))
        y = matrix @ x.flatten()
        back = conv.conv_transpose2d(y.view(1, 1, 2, 2), kernel[None, None])
        same((matrix.T @ y).view(1, 1, 4, 4), back)
        assert not torch.allclose(back.flatten(), x.flatten())

    def test_transposed_is_a_convolution_of_the_input_pulled_apart_with_the_kernel_flipped(self):
        x, kernel, stride = numbers(1, 1, 3, 3), numbers(1, 1, 3, 3), 2
        apart = x.new_zeros(1, 1, 5, 5)
        apart[..., ::stride, ::stride] = x
        same(
            conv.conv2d(apart, kernel.flip(-1, -2), padding=2),
            conv.conv_transpose2d(x, kernel, stride=stride),
        )

    @pytest.mark.parametrize(("k", "inside", "everywhere"), [(3, {1, 2, 4}, {1, 2, 4}), (4, {4}, {1, 2, 4})])
    def test_stride_2_overlaps_unevenly_with_k3_and_evenly_with_k4(self, k, inside, everywhere):
        overlaps = conv.conv_transpose2d(torch.ones(1, 6, 6), torch.ones(1, 1, k, k), stride=2)[0]
        assert set(overlaps[2:-2, 2:-2].flatten().tolist()) == inside
        assert set(overlaps.flatten().tolist()) == everywhere

    @pytest.mark.parametrize(("rates", "field", "touched"), [((1, 2, 4), 15, 225), ((2, 2, 2), 13, 49)])
    def test_dilations_widen_the_receptive_field_and_may_leave_holes(self, rates, field, touched):
        x = torch.zeros(1, 1, 21, 21, requires_grad=True)
        y = x
        for rate in rates:
            y = conv.dilated_conv2d(y, torch.ones(1, 1, 3, 3), padding=rate, dilation=rate)
        y[0, 0, 10, 10].backward()
        cells = x.grad[0, 0].nonzero()
        assert (cells.amax(0) - cells.amin(0) + 1).tolist() == [field, field]
        assert len(cells) == touched

    def test_sobel_is_a_column_times_a_row(self):
        column, row = torch.tensor([[1.0], [2.0], [1.0]]), torch.tensor([[-1.0, 0.0, 1.0]])
        sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        assert torch.equal(column @ row, sobel)
        assert torch.linalg.matrix_rank(sobel) == 1
        x = numbers(1, 6, 6).float()
        separated = conv.spatially_separable_conv2d(x, column[None, None], row[None, None])
        torch.testing.assert_close(separated, conv.conv2d(x, sobel[None, None]))

    def test_a_kernel_of_higher_rank_leaves_a_residual(self):
        laplacian = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
        u, s, v = torch.linalg.svd(laplacian)
        assert torch.linalg.matrix_rank(laplacian) == 2
        nearest = s[0] * torch.outer(u[:, 0], v[0])
        assert (laplacian - nearest).norm() == pytest.approx(s[1].item(), rel=1e-5)
        assert s[1].item() == pytest.approx(6**0.5 - 2, rel=1e-5)

    def test_nine_channels_in_three_groups_are_dealt_out(self):
        order = conv.channel_shuffle(torch.arange(9).view(9, 1, 1), 3).flatten()
        assert order.tolist() == [0, 3, 6, 1, 4, 7, 2, 5, 8]

    def test_only_a_shuffle_between_grouped_convolutions_reaches_every_input(self):
        w = torch.ones(9, 3, 1, 1)
        for first, reached in ((conv.grouped_conv2d, 3), (conv.shuffled_grouped_conv2d, 9)):
            x = torch.zeros(9, 1, 1, requires_grad=True)
            conv.grouped_conv2d(first(x, w, groups=3), w, groups=3)[0].sum().backward()
            assert x.grad.count_nonzero() == reached

    def test_one_group_is_ordinary_and_a_group_a_channel_is_depthwise(self):
        x, full, single = numbers(4, 5, 5), numbers(6, 4, 3, 3), numbers(8, 1, 3, 3)
        same(conv.grouped_conv2d(x, full, groups=1), conv.conv2d(x, full))
        same(conv.grouped_conv2d(x, single, groups=4), conv.depthwise_conv2d(x, single))


def ones(*shape):
    return torch.ones(*shape)


x, w = ones(1, 2, 5, 5), ones(4, 2, 3, 3)
REFUSED = {
    "not a tensor": (lambda: conv.conv2d([[1.0]], w), TypeError, "input must be a torch.Tensor, got list"),
    "two dtypes": (
        lambda: conv.conv2d(x.double(), w),
        TypeError,
        "weight is torch.float32 but input is torch.float64",
    ),
    "a matrix for an image": (
        lambda: conv.conv2d(ones(5, 5), w),
        ValueError,
        r"input must be .* got shape \(5, 5\)",
    ),
    "a matrix for a kernel": (
        lambda: conv.conv2d(x, ones(3, 3)),
        ValueError,
        r"weight must have 4 axes.*\(3, 3\)",
    ),
    "an empty kernel": (
        lambda: conv.conv2d(x, ones(4, 2, 0, 3)),
        ValueError,
        r"weight must have 4 axes.*\(4, 2, 0, 3\)",
    ),
    "channels": (
        lambda: conv.conv2d(ones(1, 3, 5, 5), w),
        ValueError,
        r"takes 2 input channels, but input .* has 3",
    ),
    "channels in 3D": (
        lambda: conv.conv3d(ones(3, 5, 5, 5), ones(1, 2, 1, 1, 1)),
        ValueError,
        "takes 2 .* has 3",
    ),
    "bias": (lambda: conv.conv2d(x, w, ones(3)), ValueError, r"bias must have shape \(4,\).*got \(3,\)"),
    "stride": (
        lambda: conv.conv2d(x, w, stride=0),
        ValueError,
        "stride must be an int >= 1 or 2 of them, got 0",
    ),
    "three paddings": (
        lambda: conv.conv2d(x, w, padding=(1, 1, 1)),
        ValueError,
        "padding must be an int >= 0 or 2",
    ),
    "a padding's name": (
        lambda: conv.conv2d(x, w, padding="full"),
        ValueError,
        "'valid' or 'same', got 'full'",
    ),
    "same with a stride": (lambda: conv.conv2d(x, w, stride=2, padding="same"), ValueError, "needs stride 1"),
    "dilation": (lambda: conv.dilated_conv2d(x, w, dilation=1.5), ValueError, "dilation must be an int >= 1"),
    "a kernel too tall": (
        lambda: conv.conv2d(x, ones(4, 2, 6, 3)),
        ValueError,
        "spans 6 cells in height.*has only 5",
    ),
    "a kernel spread too wide": (
        lambda: conv.conv2d(x, w, dilation=(1, 3)),
        ValueError,
        "spans 7 cells in width",
    ),
    "1×1": (
        lambda: conv.pointwise_conv2d(x, w),
        ValueError,
        r"weight must hold 1×1 kernels, got shape \(4, 2, 3, 3\)",
    ),
    "weight of a transposed one": (
        lambda: conv.conv_transpose2d(x, w),
        ValueError,
        "takes 4 input channels.* has 2",
    ),
    "output padding": (
        lambda: conv.conv_transpose2d(x, ones(2, 4, 3, 3), stride=2, output_padding=2),
        ValueError,
        r"output_padding 2 in height must be smaller than the stride \(2\)",
    ),
    "nothing left": (
        lambda: conv.conv_transpose2d(ones(2, 1, 1), ones(2, 4, 2, 2), padding=1),
        ValueError,
        "cuts away all 2 cells",
    ),
    "matrix": (
        lambda: conv.conv_matrix(ones(3, 3), (2, 4)),
        ValueError,
        "conv_matrix: the kernel spans 3 cells in height",
    ),
    "column": (
        lambda: conv.spatially_separable_conv2d(x, ones(1, 2, 1, 3), ones(1, 1, 1, 3)),
        ValueError,
        "column must hold k×1 kernels",
    ),
    "row after column": (
        lambda: conv.spatially_separable_conv2d(x, ones(5, 2, 3, 1), ones(1, 1, 1, 3)),
        ValueError,
        "row .* takes 1 input channels, but the output of column .* has 5",
    ),
    "depthwise": (
        lambda: conv.depthwise_conv2d(x, ones(3, 1, 3, 3)),
        ValueError,
        r"\(m \* C, 1, kH, kW\) for the C = 2",
    ),
    "pointwise half": (
        lambda: conv.depthwise_separable_conv2d(x, ones(2, 1, 3, 3), ones(4, 3, 1, 1)),
        ValueError,
        "pointwise .* takes 3 input channels",
    ),
    "groups of the input": (
        lambda: conv.grouped_conv2d(x, w, groups=4),
        ValueError,
        "groups = 4 does not divide the 2",
    ),
    "groups of the weight": (
        lambda: conv.grouped_conv2d(x, ones(3, 1, 3, 3), groups=2),
        ValueError,
        "the 3 channels of weight",
    ),
    "channels of a group": (
        lambda: conv.grouped_conv2d(x, w, groups=2),
        ValueError,
        "takes 2 input channels.*each of the 2",
    ),
    "shuffle": (lambda: conv.channel_shuffle(x, 0), ValueError, "groups must be an int >= 1, got 0"),
}


@pytest.mark.parametrize(("call", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()
