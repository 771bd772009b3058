"""Known-wrong and different-right answers to the assignment ``counting``."""

from __future__ import annotations

from autograders.banks import Question, cells, functions, numbers

POINTWISE = Question(
    test="test-pointwise",
    cell="pointwise",
    wrong=numbers(
        "pointwise_depth pointwise_weights pointwise_params",
        {
            "depth of the input": (64, 64 * 128, 64 * 128 + 128),
            "one bias per input channel": (128, 8192, 8192 + 64),
            "one weight per filter": (128, 128, 256),
            "bias forgotten": (128, 8192, 8192),
        },
    )
    | cells(
        {
            "thousands separator makes a tuple": """
                pointwise_depth = 128
                pointwise_weights = 8,192
                pointwise_params = 8,320
            """,
        }
    ),
    right=cells(
        {
            "a linear layer at every pixel": """
                inputs, outputs = 64, 128
                pointwise_depth = outputs
                pointwise_weights = inputs * outputs
                pointwise_params = (inputs + 1) * outputs
            """,
            "filter by filter": """
                filters = [64 * 1 * 1] * 128
                pointwise_depth = len(filters)
                pointwise_weights = sum(filters)
                pointwise_params = sum(weights + 1 for weights in filters)
            """,
            "counted by hand, as floats": """
                pointwise_depth = 128.0
                pointwise_weights = 8.192e3
                pointwise_params = 8320.0
            """,
        }
    ),
)

READINGS = Question(
    test="test-readings",
    cell="readings",
    wrong=numbers(
        "full_weights full_params each_weights each_params",
        {
            "same bias under both readings": (1500, 1506, 1500, 1506),
            "input channels forgotten": (150, 156, 1500, 1560),
            "one bias per input channel": (1500, 1510, 1500, 1510),
            "kernel not squared": (300, 306, 300, 360),
        },
    )
    | cells(
        {
            "left blank where it seemed the same": """
                full_weights, full_params = 1500, 1506
                each_weights, each_params = None, None
            """,
        }
    ),
    right=cells(
        {
            "filters listed one by one": """
                full = [10 * 25 for _ in range(6)]
                each = [25 for _ in range(10) for _ in range(6)]
                full_weights, each_weights = sum(full), sum(each)
                full_params, each_params = full_weights + len(full), each_weights + len(each)
            """,
            "shape of the weight tensor": """
                from math import prod

                full_weights, each_weights = prod((6, 10, 5, 5)), prod((60, 1, 5, 5))
                full_params, each_params = full_weights + 6, each_weights + 60
            """,
        }
    ),
)

COLOUR = Question(
    test="test-colour",
    cell="colour",
    wrong=numbers(
        "colour_weights colour_params colour_size_valid colour_size_padded",
        {
            "colour channels forgotten": (576, 640, 30, 32),
            "one bias per colour": (1728, 1731, 30, 32),
            "padding on one side only": (1728, 1792, 30, 31),
            "off by one": (1728, 1792, 29, 31),
            "sizes swapped": (1728, 1792, 32, 30),
            "area instead of side": (1728, 1792, 900, 1024),
        },
    ),
    right=cells(
        {
            "places counted": """
                taps = [(c, i, j) for c in range(3) for i in range(3) for j in range(3)]
                colour_weights = len([(f, tap) for f in range(64) for tap in taps])
                colour_params = colour_weights + 64
                colour_size_valid = sum(left + 2 < 32 for left in range(32))
                colour_size_padded = sum(left + 2 < 33 for left in range(-1, 33))
            """,
            "parameters per filter": """
                per_filter = 3 * 9 + 1
                colour_params = 64 * per_filter
                colour_weights = colour_params - 64
                border = 3 // 2
                colour_size_padded = 32
                colour_size_valid = 32 - 2 * border
            """,
        }
    ),
)

OUTPUT_SIZE = "def conv_output_size(n, kernel, stride=1, padding=0, dilation=1):"
OUTPUT_SIZE_RIGHT = functions(
    OUTPUT_SIZE,
    {
        "places counted": """
            places = 0
            left = -padding
            while left + dilation * (kernel - 1) <= n + padding - 1:
                places += 1
                left += stride
            if places == 0:
                raise ValueError("no place for the kernel")
            return places
        """,
        "formula with a check of its result": """
            size = (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            if size < 1:
                raise ValueError("output is empty")
            return size
        """,
        "length of a range": """
            size = len(range(0, n + 2 * padding - dilation * (kernel - 1), stride))
            if not size:
                raise ValueError
            return size
        """,
        "ceiling of the places at stride one": """
            import math

            places = n + 2 * padding - (kernel + (kernel - 1) * (dilation - 1)) + 1
            if places <= 0:
                raise ValueError
            return math.ceil(places / stride)
        """,
    },
)

OUTPUT_SIZE_BASIC = Question(
    test="test-output-size",
    cell="output-size",
    wrong=functions(
        OUTPUT_SIZE,
        {
            "rounds up": "return -(-(n + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1",
            "rounds to the nearest": "return round((n + 2 * padding - kernel) / stride) + 1",
            "off by one": "return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride",
            "padding on one side": "return (n + padding - dilation * (kernel - 1) - 1) // stride + 1",
            "padding ignored": "return (n - kernel) // stride + 1",
            "stride divides the padded input": "return (n + 2 * padding) // stride - kernel + 1",
            "true division": "return (n + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1",
            "answers for the public examples": "return {(5, 3): 3, (7, 3): 3, (8, 5): 8}[n, kernel]",
        },
    ),
    right=OUTPUT_SIZE_RIGHT,
    also_loses={"*": ("test-output-size-dilation", "test-output-size-error")},
)
OUTPUT_SIZE_DILATION = Question(
    test="test-output-size-dilation",
    cell="output-size",
    wrong=functions(
        OUTPUT_SIZE,
        {
            "dilation ignored": "return (n + 2 * padding - kernel) // stride + 1",
            "kernel times dilation": "return (n + 2 * padding - kernel * dilation) // stride + 1",
            "always two gaps": "return (n + 2 * padding - kernel - 2 * (dilation - 1)) // stride + 1",
            "one gap too many": "return (n + 2 * padding - dilation * kernel - (dilation > 1)) // stride + 1",
            "dilation added to the kernel": "return (n + 2 * padding - (kernel + dilation - 1)) // stride + 1",
        },
    ),
    right=OUTPUT_SIZE_RIGHT,
    also_loses={"*": ("test-output-size-error",)},
)
OUTPUT_SIZE_ERROR = Question(
    test="test-output-size-error",
    cell="output-size",
    wrong=functions(
        OUTPUT_SIZE,
        {
            "no check": "return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1",
            "zero instead of an error": "return max(0, (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1)",
            "truncates towards zero, so a kernel slightly too big gets a place": """
                size = int((n + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1
                if size < 1:
                    raise ValueError
                return size
            """,
            "dilation left out of the check": """
                if kernel > n + 2 * padding:
                    raise ValueError
                return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            """,
            "padding left out of the check": """
                if dilation * (kernel - 1) + 1 > n:
                    raise ValueError
                return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            """,
            "assert instead of ValueError": """
                size = (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
                assert size >= 1
                return size
            """,
        },
    ),
    right=OUTPUT_SIZE_RIGHT,
    also_loses={"padding left out of the check": ("test-output-size",)},
)

OUTPUT_SHAPE = "def conv_output_shape(shape, kernel, stride=1, padding=0, dilation=1):"
OUTPUT_SHAPE_QUESTION = Question(
    test="test-output-shape",
    cell="output-shape",
    wrong=functions(
        OUTPUT_SHAPE,
        {
            "first axis for all": """
                first = lambda v: v[0] if isinstance(v, tuple) else v
                n, k, s, p, d = map(first, (shape, kernel, stride, padding, dilation))
                return ((n + 2 * p - d * (k - 1) - 1) // s + 1,) * len(shape)
            """,
            "two axes only": """
                pair = lambda v: v if isinstance(v, tuple) else (v, v)
                axes = zip(pair(shape), pair(kernel), pair(stride), pair(padding), pair(dilation))
                return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)
            """,
            "only the kernel may be a tuple": """
                kernel = kernel if isinstance(kernel, tuple) else (kernel,) * len(shape)
                return tuple((n + 2 * padding - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(shape, kernel))
            """,
            "axes of the kernel reversed": """
                spread = lambda v: v[::-1] if isinstance(v, tuple) else (v,) * len(shape)
                axes = zip(shape, spread(kernel), spread(stride), spread(padding), spread(dilation))
                return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)
            """,
            "a list": """
                spread = lambda v: v if isinstance(v, tuple) else (v,) * len(shape)
                axes = zip(shape, spread(kernel), spread(stride), spread(padding), spread(dilation))
                return [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes]
            """,
            "dilation ignored": """
                spread = lambda v: v if isinstance(v, tuple) else (v,) * len(shape)
                axes = zip(shape, spread(kernel), spread(stride), spread(padding))
                return tuple((n + 2 * p - k) // s + 1 for n, k, s, p in axes)
            """,
        },
    ),
    right=functions(
        OUTPUT_SHAPE,
        {
            "places counted axis by axis": """
                result = []
                for axis in range(len(shape)):
                    k, s, p, d = [v if type(v) is int else v[axis] for v in (kernel, stride, padding, dilation)]
                    places = [x for x in range(-p, shape[axis] + p, s) if x + d * (k - 1) < shape[axis] + p]
                    result.append(len(places))
                return tuple(result)
            """,
            "recursion over the axes": """
                if not shape:
                    return ()
                head = [v if isinstance(v, int) else v[0] for v in (kernel, stride, padding, dilation)]
                tail = [v if isinstance(v, int) else v[1:] for v in (kernel, stride, padding, dilation)]
                k, s, p, d = head
                return ((shape[0] + 2 * p - d * (k - 1) - 1) // s + 1, *conv_output_shape(shape[1:], *tail))
            """,
        },
    ),
)

TRANSPOSED = Question(
    test="test-transposed-size",
    cell="transposed-size",
    wrong=functions(
        "def transposed_output_size(n, kernel, stride=1, padding=0, dilation=1, output_padding=0):",
        {
            "formula of the ordinary convolution": "return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1",
            "padding added": "return (n - 1) * stride + 2 * padding + dilation * (kernel - 1) + output_padding + 1",
            "dilation ignored": "return (n - 1) * stride - 2 * padding + kernel + output_padding",
            "padding cut on one side": "return (n - 1) * stride - padding + dilation * (kernel - 1) + output_padding + 1",
            "a whole stride for the last stamp": "return n * stride - 2 * padding + dilation * (kernel - 1) + output_padding",
            "output padding always stride minus one": """
                return (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + stride
            """,
            "kernel times dilation": "return (n - 1) * stride - 2 * padding + dilation * kernel + output_padding",
        },
    ),
    right=functions(
        "def transposed_output_size(n, kernel, stride=1, padding=0, dilation=1, output_padding=0):",
        {
            "stamps drawn": """
                painted = set()
                for i in range(n):
                    for tap in range(kernel):
                        painted.add(i * stride + tap * dilation)
                return len(range(max(painted) + 1)) - 2 * padding + output_padding
            """,
            "ordinary convolution undone": """
                span = dilation * (kernel - 1) + 1
                size = span - 2 * padding
                for _ in range(n - 1):
                    size += stride
                return size + output_padding
            """,
        },
    ),
)

PARAMS = "def conv_params(c_in, c_out, kernel, bias=True, groups=1):"
PARAMS_RIGHT = functions(
    PARAMS,
    {
        "filters listed": """
            from math import prod

            taps = prod(kernel) if hasattr(kernel, "__len__") else kernel**2
            filters = [c_in // groups * taps + int(bias) for _ in range(c_out)]
            return sum(filters)
        """,
        "group by group": """
            sides = [kernel] * 2 if isinstance(kernel, int) else list(kernel)
            total = 0
            for _ in range(groups):
                weights = (c_in // groups) * (c_out // groups)
                for side in sides:
                    weights *= side
                total += weights
            if bias:
                total += c_out
            return total
        """,
        "dense weights divided by the groups": """
            from functools import reduce

            taps = kernel * kernel if type(kernel) is int else reduce(lambda a, b: a * b, kernel)
            return c_in * c_out * taps // groups + bias * c_out
        """,
    },
)
PARAMS_BIAS = Question(
    test="test-params",
    cell="params",
    wrong=functions(
        PARAMS,
        {
            "one bias per input channel": "return c_in * c_out * kernel * kernel + (c_in if bias else 0)",
            "one bias per layer": "return c_in * c_out * kernel * kernel + (1 if bias else 0)",
            "bias argument ignored": "return c_in * c_out * kernel * kernel + c_out",
            "bias forgotten": "return c_in * c_out * kernel * kernel",
            "kernel not squared": "return c_in * c_out * kernel + (c_out if bias else 0)",
            "input channels forgotten": "return c_out * kernel * kernel + (c_out if bias else 0)",
            "one bias per kernel slice": "return c_in * c_out * (kernel * kernel + (1 if bias else 0))",
        },
    ),
    right=PARAMS_RIGHT,
    also_loses={"*": ("test-params-kernel", "test-params-groups")},
)
PARAMS_KERNEL = Question(
    test="test-params-kernel",
    cell="params",
    wrong=functions(
        PARAMS,
        {
            "first side taken for all": """
                k = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in // groups * c_out * k[0] ** len(k) + (c_out if bias else 0)
            """,
            "sides added": """
                k = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in // groups * c_out * sum(k) + (c_out if bias else 0)
            """,
            "third side forgotten": """
                k = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in // groups * c_out * k[0] * k[1] + (c_out if bias else 0)
            """,
            "largest side squared or cubed": """
                k = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in // groups * c_out * max(k) ** len(k) + (c_out if bias else 0)
            """,
            "integers only": "return c_in // groups * c_out * kernel * kernel + (c_out if bias else 0)",
        },
    ),
    right=PARAMS_RIGHT,
    also_loses={"sides added": ("test-params", "test-params-groups")},
)
PARAMS_GROUPS = Question(
    test="test-params-groups",
    cell="params",
    wrong=functions(
        PARAMS,
        {
            "groups ignored": "return c_in * c_out * kernel * kernel + (c_out if bias else 0)",
            "one group only": "return (c_in // groups) * (c_out // groups) * kernel * kernel + (c_out if bias else 0)",
            "bias divided too": "return (c_in * c_out * kernel * kernel + (c_out if bias else 0)) // groups",
            "one bias per input channel": "return c_in * c_out * kernel * kernel // groups + (c_in if bias else 0)",
            "multiplied by the groups": "return c_in * c_out * kernel * kernel * groups + (c_out if bias else 0)",
            "always two groups": "return c_in * c_out * kernel * kernel // min(groups, 2) + (c_out if bias else 0)",
            "true division": "return c_in / groups * c_out * kernel * kernel + (c_out if bias else 0)",
        },
    ),
    right=PARAMS_RIGHT,
    also_loses={
        "*": ("test-params-kernel",),
        "one bias per input channel": ("test-params", "test-params-kernel"),
        "true division": ("test-params", "test-params-kernel"),
    },
)

MACS = "def conv_macs(c_in, c_out, kernel, out_h, out_w, groups=1):"
MACS_QUESTION = Question(
    test="test-macs",
    cell="macs",
    wrong=functions(
        MACS,
        {
            "groups ignored": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in * c_out * kh * kw * out_h * out_w
            """,
            "square outputs only": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in // groups * c_out * kh * kw * out_h**2
            """,
            "square kernels only": """
                k = kernel if isinstance(kernel, int) else kernel[0]
                return c_in // groups * c_out * k * k * out_h * out_w
            """,
            "parameters instead of multiplications": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in // groups * c_out * kh * kw
            """,
            "additions counted too": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return 2 * (c_in // groups) * c_out * kh * kw * out_h * out_w
            """,
            "bias counted": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return (c_in // groups * kh * kw + 1) * c_out * out_h * out_w
            """,
            "input channels forgotten": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_out * kh * kw * out_h * out_w
            """,
        },
    ),
    right=functions(
        MACS,
        {
            "walks over the outputs": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                total = 0
                for _ in range(out_h):
                    for _ in range(out_w):
                        total += (c_in // groups) * kh * kw * c_out
                return total
            """,
            "group by group, as a product of shapes": """
                from math import prod

                weight = (c_out // groups, c_in // groups, *((kernel,) * 2 if type(kernel) is int else kernel))
                return groups * prod(weight) * prod((out_h, out_w))
            """,
        },
    ),
)

SEPARABLE = "def separable_params(c_in, c_out, kernel, bias=True):"
SEPARABLE_QUESTION = Question(
    test="test-separable",
    cell="separable",
    wrong=functions(
        SEPARABLE,
        {
            "depthwise bias per output channel": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in * kh * kw + c_in * c_out + (2 * c_out if bias else 0)
            """,
            "bias in the second layer only": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in * kh * kw + c_in * c_out + (c_out if bias else 0)
            """,
            "spatially separable instead": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_in * c_out * (kh + kw) + (2 * c_out if bias else 0)
            """,
            "depthwise filters counted by output channel": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_out * kh * kw + c_in * c_out + (c_in + c_out if bias else 0)
            """,
            "square kernels only": """
                k = kernel if isinstance(kernel, int) else kernel[0]
                return c_in * k * k + c_in * c_out + (c_in + c_out if bias else 0)
            """,
            "ordinary convolution": """
                kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
                return c_out * (c_in * kh * kw + bool(bias))
            """,
        },
    ),
    right=functions(
        SEPARABLE,
        {
            "two layers from one helper": """
                def layer(seen, filters, taps):
                    return filters * (seen * taps + (1 if bias else 0))

                taps = kernel**2 if isinstance(kernel, int) else kernel[0] * kernel[1]
                return layer(1, c_in, taps) + layer(c_in, c_out, 1)
            """,
            "channel by channel": """
                sides = (kernel, kernel) if type(kernel) is int else kernel
                per_channel = 1
                for side in sides:
                    per_channel *= side
                total = 0
                for _ in range(c_in):
                    total += per_channel + c_out
                return total + c_in + c_out if bias else total
            """,
        },
    ),
)

SINGLE = Question(
    test="test-single",
    cell="single",
    wrong=numbers(
        "single_outputs single_macs",
        {
            "output as large as the input": (25, 225),
            "off by one": (4, 36),
            "side instead of area": (3, 27),
            "one placement only": (9, 9),
            "additions counted too": (9, 162),
        },
    ),
    right=cells(
        {
            "placements listed": """
                places = [(i, j) for i in range(5 - 2) for j in range(5 - 2)]
                single_outputs = len(places)
                single_macs = sum(1 for _ in places for _ in range(9))
            """,
            "formula": """
                single_outputs = ((5 - 3) // 1 + 1) ** 2
                single_macs = single_outputs * 3**2
            """,
        }
    ),
)

VOLUME = Question(
    test="test-volume",
    cell="volume",
    wrong=numbers(
        "volume_params volume_depth volume_height",
        {
            "2D kernel": (80, 14, 26),
            "depth kept": (224, 16, 26),
            "depth collapsed": (224, 1, 26),
            "bias forgotten": (216, 14, 26),
            "channels taken for depth": (224, 8, 26),
        },
    ),
    right=cells(
        {
            "power of the side": """
                volume_params = 8 * (3**3 + 1)
                volume_depth, volume_height = (n - 2 for n in (16, 28))
            """,
            "all three sides from one rule": """
                sides = [len(range(n - 3 + 1)) for n in (16, 28, 28)]
                volume_depth, volume_height, _ = sides
                weights = [1 for f in range(8) for a in range(3) for b in range(3) for c in range(3)]
                volume_params = len(weights) + 8
            """,
        }
    ),
)

MATRIX = Question(
    test="test-matrix",
    cell="matrix",
    wrong=numbers(
        "matrix_rows matrix_columns matrix_nonzeros",
        {
            "already transposed": (16, 4, 36),
            "full matrix": (4, 16, 64),
            "kernel values once": (4, 16, 9),
            "square matrix": (16, 16, 144),
            "sides instead of areas": (2, 4, 6),
        },
    ),
    right=cells(
        {
            "matrix built": """
                C = [[0] * 16 for _ in range(4)]
                for r in range(2):
                    for c in range(2):
                        for i in range(3):
                            for j in range(3):
                                C[2 * r + c][4 * (r + i) + c + j] = 1
                matrix_rows, matrix_columns = len(C), len(C[0])
                matrix_nonzeros = sum(map(sum, C))
            """,
            "nine in every row": """
                side = 4 - 3 + 1
                matrix_rows, matrix_columns = side**2, 4**2
                matrix_nonzeros = 9 * matrix_rows
            """,
        }
    ),
)

RECEPTIVE_FIELD = Question(
    test="test-receptive-field",
    cell="receptive-field",
    wrong=functions(
        "def receptive_field(layers):",
        {
            "stride ignored": "return 1 + sum(d * (k - 1) for k, s, d in layers)",
            "stride counted in its own layer": """
                field, jump = 1, 1
                for kernel, stride, dilation in layers:
                    jump *= stride
                    field += dilation * (kernel - 1) * jump
                return field
            """,
            "strides added": """
                field, jump = 1, 1
                for kernel, stride, dilation in layers:
                    field += dilation * (kernel - 1) * jump
                    jump += stride - 1
                return field
            """,
            "only the last stride": """
                field, jump = 1, 1
                for kernel, stride, dilation in layers:
                    field += dilation * (kernel - 1) * jump
                    jump = stride
                return field
            """,
            "spans added": "return sum(d * (k - 1) + 1 for k, s, d in layers)",
            "dilation ignored": "return 1 + sum(k - 1 for k, s, d in layers)",
            "layers in reverse order": """
                field, jump = 1, 1
                for kernel, stride, dilation in reversed(layers):
                    field += dilation * (kernel - 1) * jump
                    jump *= stride
                return field
            """,
        },
    ),
    right=functions(
        "def receptive_field(layers):",
        {
            "backwards, as an interval": """
                low = high = 0
                for kernel, stride, dilation in layers[::-1]:
                    low, high = low * stride, high * stride + dilation * (kernel - 1)
                return high - low + 1
            """,
            "recursion": """
                if not layers:
                    return 1
                kernel, stride, dilation = layers[0]
                return (receptive_field(layers[1:]) - 1) * stride + dilation * (kernel - 1) + 1
            """,
        },
    ),
)

SPATIAL = Question(
    test="test-spatial",
    cell="spatial",
    wrong=numbers(
        "spatial_whole spatial_split flattened_whole flattened_split",
        {
            "one direction only": (49, 7, 125, 5),
            "sides multiplied": (49, 49, 125, 125),
            "two directions in 3D": (49, 14, 125, 10),
            "shared middle counted once": (49, 13, 125, 13),
            "3D kernel squared": (49, 14, 25, 15),
        },
    ),
    right=cells(
        {
            "powers and multiples": """
                spatial_whole, spatial_split = 7**2, 7 * 2
                flattened_whole, flattened_split = 5**3, 5 * 3
            """,
            "cells of each kernel listed": """
                def taps(*sides):
                    return 1 if not sides else sum(taps(*sides[1:]) for _ in range(sides[0]))

                spatial_whole, spatial_split = taps(7, 7), taps(7, 1) + taps(1, 7)
                flattened_whole = taps(5, 5, 5)
                flattened_split = taps(5, 1, 1) + taps(1, 5, 1) + taps(1, 1, 5)
            """,
        }
    ),
)

GROUPED = Question(
    test="test-grouped",
    cell="grouped",
    wrong=cells(
        {
            "one group only": "grouped_weights = [(64 // g) * (64 // g) * 9 for g in (1, 2, 4, 8)]",
            "groups ignored": "grouped_weights = [64 * 64 * 9] * 4",
            "bias counted": "grouped_weights = [64 * 64 * 9 // g + 64 for g in (1, 2, 4, 8)]",
            "groups 1, 2, 3, 4": "grouped_weights = [36864, 18432, 12288, 9216]",
            "reversed": "grouped_weights = [4608, 9216, 18432, 36864]",
            "input channels forgotten": "grouped_weights = [64 * 9 // g for g in (1, 2, 4, 8)]",
        }
    ),
    right=cells(
        {
            "halved again and again": """
                grouped_weights = [64 * 64 * 3 * 3]
                while len(grouped_weights) < 4:
                    grouped_weights.append(grouped_weights[-1] // 2)
            """,
            "small convolutions side by side": """
                grouped_weights = tuple(
                    sum((64 // g) * (64 // g) * 3 * 3 for _ in range(g)) for g in (1, 2, 4, 8)
                )
            """,
        }
    ),
)

SHUFFLE = Question(
    test="test-shuffle",
    cell="shuffle",
    wrong=functions(
        "def shuffle_order(channels, groups):",
        {
            "rows and columns swapped": """
                return [i * groups + g for g in range(groups) for i in range(channels // groups)]
            """,
            "always two halves": """
                half = channels // 2
                return [start + i for i in range(half) for start in (0, half)]
            """,
            "rows of three": """
                rows = [list(range(start, min(start + 3, channels))) for start in range(0, channels, 3)]
                return [row[i] for i in range(3) for row in rows if i < len(row)]
            """,
            "order kept": "return list(range(channels))",
            "groups reversed": """
                size = channels // groups
                return [g * size + i for i in range(size) for g in reversed(range(groups))]
            """,
            "a tuple": """
                size = channels // groups
                return tuple(g * size + i for i in range(size) for g in range(groups))
            """,
        },
    ),
    right=functions(
        "def shuffle_order(channels, groups):",
        {
            "rows transposed by zip": """
                numbers = list(range(channels))
                size = channels // groups
                rows = [numbers[start : start + size] for start in range(0, channels, size)]
                return [channel for column in zip(*rows) for channel in column]
            """,
            "strided slices": """
                size = channels // groups
                order = []
                for i in range(size):
                    order += list(range(channels))[i::size]
                return order
            """,
            "divmod": "return [i % groups * (channels // groups) + i // groups for i in range(channels)]",
        },
    ),
)

CHOICES = '#@param ["선택", "①", "②", "③", "④"]'
DILATION = Question(
    test="test-dilation",
    cell="dilation",
    wrong=cells(
        {
            "span taken for the number of values": f'dilation_choice = "①"  {CHOICES}',
            "output size thought to depend on the kernel alone": f'dilation_choice = "②"  {CHOICES}',
            "receptive field taken for the number of values": f'dilation_choice = "④"  {CHOICES}',
            "number instead of a choice": f"dilation_choice = 3  {CHOICES}",
        }
    ),
    right=cells(
        {
            "chosen in Colab's form": f'dilation_choice = "③"  {CHOICES}',
            "typed on a line of its own": f'dilation_choice = "선택"  {CHOICES}\ndilation_choice = "③"',
        }
    ),
)

NETWORK_SHAPES = Question(
    test="test-network-shapes",
    cell="network-shapes",
    wrong=cells(
        {
            "padding assumed": """
                network_shapes = {"conv1": (6, 32, 32), "pool1": (6, 16, 16), "conv2": (16, 16, 16), "pool2": (16, 8, 8)}
            """,
            "pooling halves the channels": """
                network_shapes = {"conv1": (6, 28, 28), "pool1": (3, 14, 14), "conv2": (16, 10, 10), "pool2": (8, 5, 5)}
            """,
            "channels last": """
                network_shapes = {"conv1": (28, 28, 6), "pool1": (14, 14, 6), "conv2": (10, 10, 16), "pool2": (5, 5, 16)}
            """,
            "pooling with stride one": """
                network_shapes = {"conv1": (6, 28, 28), "pool1": (6, 27, 27), "conv2": (16, 23, 23), "pool2": (16, 22, 22)}
            """,
            "channels left out": """
                network_shapes = {"conv1": (28, 28), "pool1": (14, 14), "conv2": (10, 10), "pool2": (5, 5)}
            """,
        }
    ),
    right=cells(
        {
            "layer after layer": """
                network_shapes, side = {}, 32
                for name, channels, kernel, stride in [
                    ("conv1", 6, 5, 1), ("pool1", 6, 2, 2), ("conv2", 16, 5, 1), ("pool2", 16, 2, 2)
                ]:
                    side = (side - kernel) // stride + 1
                    network_shapes[name] = (channels, side, side)
            """,
            "lists, from the rule minus four and half": """
                a = 32 - 4
                b = a // 2
                c = b - 4
                d = c // 2
                network_shapes = {"conv1": [6, a, a], "pool1": [6, b, b], "conv2": [16, c, c], "pool2": [16, d, d]}
            """,
        }
    ),
)

NETWORK_PARAMS = Question(
    test="test-network-params",
    cell="network-params",
    wrong=cells(
        {
            "bias forgotten": """
                network_params = {
                    "conv1": 450, "pool1": 0, "conv2": 2400, "pool2": 0, "fc1": 48000, "fc2": 10080, "fc3": 840
                }
                network_total = 61770
            """,
            "pooling given weights": """
                network_params = {
                    "conv1": 456, "pool1": 24, "conv2": 2416, "pool2": 64, "fc1": 48120, "fc2": 10164, "fc3": 850
                }
                network_total = 62094
            """,
            "input channels forgotten": """
                network_params = {
                    "conv1": 156, "pool1": 0, "conv2": 416, "pool2": 0, "fc1": 48120, "fc2": 10164, "fc3": 850
                }
                network_total = 59706
            """,
            "feature map not flattened": """
                network_params = {
                    "conv1": 456, "pool1": 0, "conv2": 2416, "pool2": 0, "fc1": 2040, "fc2": 10164, "fc3": 850
                }
                network_total = 15926
            """,
            "layer before pooling taken": """
                network_params = {
                    "conv1": 456, "pool1": 0, "conv2": 2416, "pool2": 0, "fc1": 192120, "fc2": 10164, "fc3": 850
                }
                network_total = 206006
            """,
            "total that does not add up": """
                network_params = {
                    "conv1": 456, "pool1": 0, "conv2": 2416, "pool2": 0, "fc1": 48120, "fc2": 10164, "fc3": 850
                }
                network_total = 61706
            """,
        }
    ),
    right=cells(
        {
            "from a table of inputs and outputs": """
                table = {"conv1": (75, 6), "conv2": (150, 16), "fc1": (400, 120), "fc2": (120, 84), "fc3": (84, 10)}
                network_params = dict.fromkeys(["conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3"], 0)
                for name, (seen, outputs) in table.items():
                    network_params[name] = seen * outputs + outputs
                network_total = sum(network_params.values())
            """,
            "by hand": """
                network_params = {
                    "conv1": 456, "pool1": 0, "conv2": 2416, "pool2": 0, "fc1": 48120, "fc2": 10164, "fc3": 850
                }
                network_total = 62006
            """,
        }
    ),
)

DESIGN_RIGHT = cells(
    {
        "grouped convolutions": """
            design = [(16, 7, 2, 3, 1), (32, 5, 2, 2, 4), (64, 3, 1, 1, 8), (64, 3, 1, 1, 16)]
        """,
        "one large stride and a wide kernel": """
            design = [(16, 12, 4, 4, 1), (64, 1, 1, 0, 1), (64, 3, 1, 1, 64), (64, 3, 1, 1, 64)]
        """,
        "depthwise separable without padding at first": """
            design = [
                (8, 3, 1, 0, 1), (8, 3, 2, 0, 8), (16, 1, 1, 0, 1),
                (16, 3, 2, 2, 16), (64, 1, 1, 0, 1), (64, 7, 1, 3, 64),
            ]
        """,
    }
)
DESIGN_SHAPE = Question(
    test="test-design-shape",
    cell="design",
    wrong=cells(
        {
            "halved once only": "design = [(16, 3, 2, 1, 1), (64, 1, 1, 0, 1), (64, 7, 1, 3, 64)]",
            "padding forgotten": "design = [(16, 5, 2, 0, 1), (32, 5, 2, 0, 4), (64, 3, 1, 0, 8)]",
            "no stride": "design = [(16, 3, 1, 1, 1), (64, 3, 1, 1, 16)]",
            "kernel larger than what is left": "design = [(16, 3, 4, 1, 1), (64, 11, 1, 0, 16)]",
            "groups that do not divide": "design = [(16, 3, 2, 1, 2), (64, 3, 2, 1, 1)]",
            "32 channels at the end": "design = [(16, 3, 2, 1, 1), (32, 3, 2, 1, 1)]",
        }
    ),
    right=DESIGN_RIGHT,
    also_loses={"*": ("test-design-budget",)},
)
DESIGN_BUDGET = Question(
    test="test-design-budget",
    cell="design",
    wrong=cells(
        {
            "ordinary 3×3 layers": "design = [(16, 3, 1, 1, 1), (32, 3, 2, 1, 1), (64, 3, 2, 1, 1), (64, 3, 1, 1, 1)]",
            "receptive field of kernels without strides": """
                design = [(8, 3, 1, 1, 1), (8, 3, 2, 1, 8), (16, 1, 1, 0, 1), (16, 3, 2, 1, 16), (64, 1, 1, 0, 1)]
            """,
            "one cell short": "design = [(16, 5, 2, 2, 1), (32, 3, 2, 1, 4), (64, 3, 1, 1, 16), (64, 1, 1, 0, 64)]",
            "receptive field from a layer that the output does not need": """
                design = [(16, 3, 4, 1, 1), (64, 2, 1, 0, 16), (64, 1, 1, 0, 64)]
            """,
            "wide enough but of another size": "design = [(16, 9, 1, 4, 1), (64, 11, 1, 5, 16)]",
        }
    ),
    right=DESIGN_RIGHT,
    also_loses={
        "receptive field from a layer that the output does not need": ("test-design-shape",),
        "wide enough but of another size": ("test-design-shape",),
    },
)

SAME_PADDING = Question(
    test="test-same-padding",
    cell="same-padding",
    wrong=functions(
        "def same_padding(kernel, dilation=1):",
        {
            "odd kernels only": "return (dilation * (kernel - 1) // 2, dilation * (kernel - 1) // 2)",
            "the odd one in front": """
                total = dilation * (kernel - 1)
                return (total - total // 2, total // 2)
            """,
            "dilation ignored": "return ((kernel - 1) // 2, kernel // 2)",
            "halved before it is dilated": "return (dilation * ((kernel - 1) // 2), dilation * (kernel // 2))",
            "half the kernel on both sides": "return (kernel // 2 * dilation, kernel // 2 * dilation)",
            "everything behind": "return (0, dilation * (kernel - 1))",
        },
    ),
    right=functions(
        "def same_padding(kernel, dilation=1):",
        {
            "dealt out one by one": """
                front = back = 0
                for i in range(dilation * (kernel - 1)):
                    if i % 2 == 0:
                        back += 1
                    else:
                        front += 1
                return front, back
            """,
            "searched for": """
                for front in range(1000):
                    for back in (front, front + 1):
                        if front + back == dilation * (kernel - 1):
                            return [front, back]
            """,
        },
    ),
)

QUESTIONS = (
    POINTWISE,
    READINGS,
    COLOUR,
    OUTPUT_SIZE_BASIC,
    OUTPUT_SIZE_DILATION,
    OUTPUT_SIZE_ERROR,
    OUTPUT_SHAPE_QUESTION,
    TRANSPOSED,
    PARAMS_BIAS,
    PARAMS_KERNEL,
    PARAMS_GROUPS,
    MACS_QUESTION,
    SEPARABLE_QUESTION,
    SINGLE,
    VOLUME,
    MATRIX,
    RECEPTIVE_FIELD,
    SPATIAL,
    GROUPED,
    SHUFFLE,
    DILATION,
    NETWORK_SHAPES,
    NETWORK_PARAMS,
    DESIGN_SHAPE,
    DESIGN_BUDGET,
    SAME_PADDING,
)
