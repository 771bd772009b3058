"""Known-wrong and different-right answers to the assignment ``convolutions``."""

from __future__ import annotations

from autograders.banks import Question, cells, functions

SINGLE = "def conv2d_single(x, w, stride=1, padding=0, dilation=1):"
SINGLE_RIGHT = functions(
    SINGLE,
    {
        "one shifted picture for each value of the kernel": """
            x = F.pad(x, (padding, padding, padding, padding))
            rows = (x.shape[0] - dilation * (w.shape[0] - 1) - 1) // stride + 1
            columns = (x.shape[1] - dilation * (w.shape[1] - 1) - 1) // stride + 1
            out = x.new_zeros(rows, columns)
            for a in range(w.shape[0]):
                for b in range(w.shape[1]):
                    shifted = x[a * dilation :, b * dilation :][::stride, ::stride]
                    out += w[a, b] * shifted[:rows, :columns]
            return out
        """,
        "four loops, border asked for each cell": """
            height, width = x.shape
            out = []
            for top in range(-padding, height + padding - dilation * (w.shape[0] - 1), stride):
                line = []
                for left in range(-padding, width + padding - dilation * (w.shape[1] - 1), stride):
                    total = 0.0
                    for a in range(w.shape[0]):
                        for b in range(w.shape[1]):
                            i, j = top + a * dilation, left + b * dilation
                            if 0 <= i < height and 0 <= j < width:
                                total += x[i, j].item() * w[a, b].item()
                    line.append(total)
                out.append(line)
            return torch.tensor(out, dtype=x.dtype)
        """,
        "windows of a stretched kernel": """
            stretched = x.new_zeros([dilation * (size - 1) + 1 for size in w.shape])
            stretched[::dilation, ::dilation] = w
            padded = F.pad(x, [padding] * 4)
            windows = padded.unfold(0, stretched.shape[0], stride).unfold(1, stretched.shape[1], stride)
            return (windows * stretched).sum(dim=(2, 3))
        """,
    },
)

SINGLE_BASIC = Question(
    test="test-single",
    cell="single",
    wrong=functions(
        SINGLE,
        {
            "hands the work to torch": """
                return F.conv2d(x[None, None], w[None, None], None, stride, padding, dilation)[0, 0]
            """,
            "output of the default dtype": """
                rows, columns = x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1
                out = torch.zeros(rows, columns)
                for i in range(rows):
                    for j in range(columns):
                        out[i, j] = (x[i : i + w.shape[0], j : j + w.shape[1]] * w).sum()
                return out
            """,
            "kernel flipped": """
                w = w.flip(0, 1)
                rows, columns = x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1
                out = torch.zeros(rows, columns, dtype=x.dtype)
                for i in range(rows):
                    for j in range(columns):
                        out[i, j] = (x[i : i + w.shape[0], j : j + w.shape[1]] * w).sum()
                return out
            """,
            "square input and kernel assumed": """
                n, k = len(x), len(w)
                out = torch.zeros(n - k + 1, n - k + 1, dtype=x.dtype)
                for i in range(n - k + 1):
                    for j in range(n - k + 1):
                        out[i, j] = (x[i : i + k, j : j + k] * w).sum()
                return out
            """,
            "last row and column forgotten": """
                rows, columns = x.shape[0] - w.shape[0], x.shape[1] - w.shape[1]
                out = torch.zeros(rows, columns, dtype=x.dtype)
                for i in range(rows):
                    for j in range(columns):
                        out[i, j] = (x[i : i + w.shape[0], j : j + w.shape[1]] * w).sum()
                return out
            """,
        },
    ),
    right=SINGLE_RIGHT,
    also_loses={
        "output of the default dtype": ("test-single-options",),
        "kernel flipped": ("test-single-options",),
        "square input and kernel assumed": ("test-single-options",),
        "last row and column forgotten": ("test-single-options",),
    },
)

WINDOWS = """
    height, width = w.shape
    padded = F.pad(x, (padding, padding, padding, padding))
    span_i, span_j = dilation * (height - 1) + 1, dilation * (width - 1) + 1
    rows, columns = (padded.shape[0] - span_i) // stride + 1, (padded.shape[1] - span_j) // stride + 1
    out = torch.zeros(rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            top, left = {top}, {left}
            out[i, j] = (padded[top : top + span_i : dilation, left : left + span_j : dilation] * w).sum()
    return out
"""
SINGLE_OPTIONS = Question(
    test="test-single-options",
    cell="single",
    wrong=functions(
        SINGLE,
        {
            "starts a stride and a dilation apart": WINDOWS.format(
                top="i * stride * dilation", left="j * stride * dilation"
            ),
            "stride in one direction only": WINDOWS.format(top="i * stride", left="j"),
            "starts in the middle of the padding": WINDOWS.format(
                top="i * stride - padding", left="j * stride - padding"
            ),
            "options ignored": """
                rows, columns = x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1
                out = torch.zeros(rows, columns, dtype=x.dtype)
                for i in range(rows):
                    for j in range(columns):
                        out[i, j] = (x[i : i + w.shape[0], j : j + w.shape[1]] * w).sum()
                return out
            """,
            "rounds the number of places up": """
                padded = F.pad(x, [padding] * 4)
                span_i, span_j = dilation * (w.shape[0] - 1) + 1, dilation * (w.shape[1] - 1) + 1
                rows = -(-(padded.shape[0] - span_i) // stride) + 1
                columns = -(-(padded.shape[1] - span_j) // stride) + 1
                padded = F.pad(padded, (0, stride, 0, stride))
                out = torch.zeros(rows, columns, dtype=x.dtype)
                for i in range(rows):
                    for j in range(columns):
                        top, left = i * stride, j * stride
                        window = padded[top : top + span_i : dilation, left : left + span_j : dilation]
                        out[i, j] = (window * w).sum()
                return out
            """,
            "every place computed, then the first few kept": """
                padded = F.pad(x, [padding] * 4)
                stretched = x.new_zeros([dilation * (size - 1) + 1 for size in w.shape])
                stretched[::dilation, ::dilation] = w
                windows = padded.unfold(0, stretched.shape[0], 1).unfold(1, stretched.shape[1], 1)
                dense = (windows * stretched).sum(dim=(2, 3))
                return dense[: len(dense) // stride + 1, : dense.shape[1] // stride + 1]
            """,
            "padding behind only": """
                padded = F.pad(x, (0, 2 * padding, 0, 2 * padding))
                stretched = x.new_zeros([dilation * (size - 1) + 1 for size in w.shape])
                stretched[::dilation, ::dilation] = w
                windows = padded.unfold(0, stretched.shape[0], stride).unfold(1, stretched.shape[1], stride)
                return (windows * stretched).sum(dim=(2, 3))
            """,
        },
    ),
    right=SINGLE_RIGHT,
)

CHANNELS = "def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):"
CHANNEL_LOOP = """
    padded = F.pad(x, [padding] * 4)
    c_out, c_in, height, width = weight.shape
    rows = (padded.shape[1] - dilation * (height - 1) - 1) // stride + 1
    columns = (padded.shape[2] - dilation * (width - 1) - 1) // stride + 1
    out = torch.zeros(c_out, rows, columns, dtype={dtype})
    for a in range(height):
        for b in range(width):
            part = padded[:, a * dilation :, b * dilation :][:, ::stride, ::stride][:, :rows, :columns]
            out += torch.einsum({sum}, {weight}, part)
    if bias is not None:
        out = out + {bias}
    return out
"""
CHANNEL_PARTS = {
    "dtype": "x.dtype",
    "sum": '"oc,chw->ohw"',
    "weight": "weight[:, :, a, b]",
    "bias": "bias[:, None, None]",
}
CHANNELS_QUESTION = Question(
    test="test-channels",
    cell="channels",
    wrong=functions(
        CHANNELS,
        {
            "bias along the width": CHANNEL_LOOP.format(**CHANNEL_PARTS | {"bias": "bias"}),
            "bias once for each input channel": CHANNEL_LOOP.format(
                **CHANNEL_PARTS | {"bias": "len(x) * bias[:, None, None]"}
            ),
            "first input channel only": CHANNEL_LOOP.format(
                **CHANNEL_PARTS | {"weight": "weight[:, :1, a, b]", "sum": '"ok,chw->ohw"'}
            ),
            "first filter for all": CHANNEL_LOOP.format(
                **CHANNEL_PARTS | {"weight": "weight[[0] * c_out, :, a, b]"}
            ),
            "kernel flipped": CHANNEL_LOOP.format(
                **CHANNEL_PARTS | {"weight": "weight[:, :, height - 1 - a, width - 1 - b]"}
            ),
            "output of the default dtype": CHANNEL_LOOP.format(
                **CHANNEL_PARTS | {"dtype": "torch.get_default_dtype()"}
            ),
            "options left out": """
                c_out, c_in, height, width = weight.shape
                rows, columns = x.shape[1] - height + 1, x.shape[2] - width + 1
                out = torch.zeros(c_out, rows, columns, dtype=x.dtype)
                for o in range(c_out):
                    for i in range(rows):
                        for j in range(columns):
                            out[o, i, j] = (x[:, i : i + height, j : j + width] * weight[o]).sum()
                            if bias is not None:
                                out[o, i, j] += bias[o]
                return out
            """,
            "hands the work to torch": "return F.conv2d(x[None], weight, bias, stride, padding, dilation)[0]",
        },
    ),
    right=functions(
        CHANNELS,
        {
            "one shifted picture for each value of the kernel": CHANNEL_LOOP.format(**CHANNEL_PARTS),
            "channel by channel, added up": """
                def one(picture, kernel):
                    stretched = picture.new_zeros([dilation * (size - 1) + 1 for size in kernel.shape])
                    stretched[::dilation, ::dilation] = kernel
                    padded = F.pad(picture, [padding] * 4)
                    windows = padded.unfold(0, stretched.shape[0], stride).unfold(1, stretched.shape[1], stride)
                    return (windows * stretched).sum(dim=(2, 3))

                maps = [sum(one(picture, kernel) for picture, kernel in zip(x, filter)) for filter in weight]
                out = torch.stack(maps)
                return out if bias is None else out + bias.view(-1, 1, 1)
            """,
            "lists of windows times a matrix": """
                padded = F.pad(x, [padding] * 4)
                span_i, span_j = (dilation * (size - 1) + 1 for size in weight.shape[2:])
                tops = range(0, padded.shape[1] - span_i + 1, stride)
                lefts = range(0, padded.shape[2] - span_j + 1, stride)
                windows = [
                    padded[:, top : top + span_i : dilation, left : left + span_j : dilation].reshape(-1)
                    for top in tops
                    for left in lefts
                ]
                out = weight.reshape(len(weight), -1) @ torch.stack(windows, dim=1)
                if bias is not None:
                    out = out + bias[:, None]
                return out.reshape(-1, len(tops), len(lefts))
            """,
        },
    ),
)

POINTWISE = Question(
    test="test-pointwise",
    cell="pointwise",
    wrong=functions(
        "def pointwise(x, weight, bias=None):",
        {
            "reshaped instead of permuted": """
                n, c, h, w = x.shape
                out = x.reshape(-1, c) @ weight.T
                if bias is not None:
                    out = out + bias
                return out.reshape(n, -1, h, w)
            """,
            "weight transposed": """
                out = torch.einsum("co,nchw->nohw", weight, x)
                return out if bias is None else out + bias[:, None, None]
            """,
            "bias along the width": """
                out = torch.einsum("oc,nchw->nohw", weight, x)
                return out if bias is None else out + bias
            """,
            "channels left at the end": """
                out = x.permute(0, 2, 3, 1) @ weight.T
                return out if bias is None else out + bias
            """,
            "height and width swapped on the way back": """
                out = x.permute(0, 3, 2, 1) @ weight.T
                out = out if bias is None else out + bias
                return out.permute(0, 3, 1, 2).reshape(len(x), len(weight), *x.shape[2:])
            """,
            "one image only": """
                out = (weight @ x[0].flatten(1)).reshape(1, -1, *x.shape[2:])
                return out if bias is None else out + bias[:, None, None]
            """,
            "bias left out": 'return torch.einsum("oc,nchw->nohw", weight, x)',
            "hands the work to torch": "return F.conv2d(x, weight[:, :, None, None], bias)",
        },
    ),
    right=functions(
        "def pointwise(x, weight, bias=None):",
        {
            "einsum": """
                out = torch.einsum("oc,nchw->nohw", weight, x)
                return out if bias is None else out + bias.reshape(1, -1, 1, 1)
            """,
            "a linear layer over the last axis": """
                return F.linear(x.movedim(1, -1), weight, bias).movedim(-1, 1)
            """,
            "matrix times flattened pictures": """
                out = weight @ x.flatten(2)
                if bias is not None:
                    out += bias[:, None]
                return out.unflatten(2, x.shape[2:])
            """,
        },
    ),
)

MATRIX = Question(
    test="test-matrix",
    cell="matrix",
    wrong=functions(
        "def conv_matrix(w, height, width):",
        {
            "each row one column further, also at the end of a line": """
                rows, columns = height - w.shape[0] + 1, width - w.shape[1] + 1
                first = torch.zeros(height, width, dtype=w.dtype)
                first[: w.shape[0], : w.shape[1]] = w
                return torch.stack([torch.roll(first.flatten(), shift) for shift in range(rows * columns)])
            """,
            "already transposed": """
                units = torch.eye(height * width, dtype=w.dtype).reshape(-1, 1, height, width)
                return F.conv2d(units, w[None, None]).flatten(1)
            """,
            "kernel flipped": """
                units = torch.eye(height * width, dtype=w.dtype).reshape(-1, 1, height, width)
                return F.conv2d(units, w.flip(0, 1)[None, None]).flatten(1).T
            """,
            "columns of the kernel's width apart": """
                rows, columns = height - w.shape[0] + 1, width - w.shape[1] + 1
                C = torch.zeros(rows * columns, height * width, dtype=w.dtype)
                for i in range(rows):
                    for j in range(columns):
                        for a in range(w.shape[0]):
                            for b in range(w.shape[1]):
                                C[i * columns + j, i * columns + j + a * width + b] = w[a, b]
                return C
            """,
            "square kernel assumed": """
                k = len(w)
                rows, columns = height - k + 1, width - k + 1
                C = torch.zeros(rows * columns, height * width, dtype=w.dtype)
                for i in range(rows):
                    for j in range(columns):
                        for a in range(k):
                            for b in range(k):
                                C[i * columns + j, (i + a) * width + j + b] = w[a, b]
                return C
            """,
        },
    ),
    right=functions(
        "def conv_matrix(w, height, width):",
        {
            "column by column, from pictures with a single one": """
                units = torch.eye(height * width, dtype=w.dtype).reshape(-1, 1, height, width)
                return F.conv2d(units, w[None, None]).flatten(1).T
            """,
            "entry by entry": """
                rows, columns = height - w.shape[0] + 1, width - w.shape[1] + 1
                C = w.new_zeros(rows * columns, height * width)
                for place in range(rows * columns):
                    i, j = divmod(place, columns)
                    for a in range(w.shape[0]):
                        for b in range(w.shape[1]):
                            C[place, (i + a) * width + (j + b)] = w[a, b]
                return C
            """,
            "Kronecker products of shifts": """
                rows, columns = height - w.shape[0] + 1, width - w.shape[1] + 1
                total = 0
                for a in range(w.shape[0]):
                    for b in range(w.shape[1]):
                        down = torch.eye(height, dtype=w.dtype)[a : a + rows]
                        right = torch.eye(width, dtype=w.dtype)[b : b + columns]
                        total = total + w[a, b] * torch.kron(down, right)
                return total
            """,
        },
    ),
)

THROUGH = Question(
    test="test-through",
    cell="through",
    wrong=functions(
        "def transpose_through(C, y, height, width):",
        {
            "inverse instead of transpose": """
                return (torch.linalg.pinv(C) @ y.flatten()).reshape(height, width)
            """,
            "reshaped instead of transposed": """
                return (C.reshape(C.shape[1], C.shape[0]) @ y.flatten()).reshape(height, width)
            """,
            "flattened column by column": """
                return (C.T @ y.T.flatten()).reshape(height, width)
            """,
            "height and width swapped": "return (C.T @ y.flatten()).reshape(width, height)",
            "left flat": "return C.T @ y.flatten()",
            "folded column by column": "return (C.T @ y.flatten()).reshape(width, height).T",
        },
    ),
    right=functions(
        "def transpose_through(C, y, height, width):",
        {
            "vector times matrix": "return (y.reshape(1, -1) @ C).view(height, width)",
            "einsum over the cells of y": """
                stamps = C.reshape(*y.shape, height, width)
                return torch.einsum("ij,ijhw->hw", y, stamps)
            """,
            "rows of C added up": """
                total = torch.zeros(C.shape[1], dtype=C.dtype)
                for value, row in zip(y.flatten(), C):
                    total += value * row
                return total.reshape(height, width)
            """,
        },
    ),
)

STAMP = "def conv_transpose2d(y, w, stride=1, padding=0, output_padding=0):"
STAMP_RIGHT = functions(
    STAMP,
    {
        "zeros between the inputs, then a flipped kernel": """
            height, width = w.shape
            spread = y.new_zeros((y.shape[0] - 1) * stride + 1, (y.shape[1] - 1) * stride + 1)
            spread[::stride, ::stride] = y
            spread = F.pad(spread, (width - 1, width - 1 + output_padding, height - 1, height - 1 + output_padding))
            windows = spread.unfold(0, height, 1).unfold(1, width, 1)
            paper = (windows * w.flip(0, 1)).sum(dim=(2, 3))
            return paper[padding : len(paper) - padding, padding : paper.shape[1] - padding]
        """,
        "one strided copy of y for each value of the kernel": """
            rows = (y.shape[0] - 1) * stride + w.shape[0] + output_padding
            columns = (y.shape[1] - 1) * stride + w.shape[1] + output_padding
            paper = y.new_zeros(rows, columns)
            for a in range(w.shape[0]):
                for b in range(w.shape[1]):
                    last_row, last_column = a + (y.shape[0] - 1) * stride, b + (y.shape[1] - 1) * stride
                    paper[a : last_row + 1 : stride, b : last_column + 1 : stride] += w[a, b] * y
            return paper[padding : rows - padding, padding : columns - padding]
        """,
        "folded": """
            rows = (y.shape[0] - 1) * stride + w.shape[0]
            columns = (y.shape[1] - 1) * stride + w.shape[1]
            stamps = torch.outer(w.flatten(), y.flatten())
            paper = F.fold(stamps[None], (rows, columns), tuple(w.shape), stride=stride)[0, 0]
            return F.pad(paper, (-padding, output_padding - padding, -padding, output_padding - padding))
        """,
    },
)
STAMPING = """
    height = (y.shape[0] - 1) * stride + w.shape[0] + output_padding
    width = (y.shape[1] - 1) * stride + w.shape[1] + output_padding
    paper = torch.zeros(height, width, dtype=y.dtype)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            top, left = i * stride, j * stride
            paper[top : top + w.shape[0], left : left + w.shape[1]] {stamp}
    return paper[padding : height - padding, padding : width - padding]
"""
STAMP_STRIDE = Question(
    test="test-stamp",
    cell="stamp",
    wrong=functions(
        STAMP,
        {
            "last stamp wins": STAMPING.format(stamp="= y[i, j] * w"),
            "stamps flipped": STAMPING.format(stamp="+= y[i, j] * w.flip(0, 1)"),
            "stamps turned": STAMPING.format(stamp="+= y[i, j] * w.T"),
            "stride times the input": """
                paper = torch.zeros(y.shape[0] * stride + 1, y.shape[1] * stride + 1, dtype=y.dtype)
                for i in range(y.shape[0]):
                    for j in range(y.shape[1]):
                        paper[i * stride : i * stride + w.shape[0], j * stride : j * stride + w.shape[1]] += y[i, j] * w
                return paper
            """,
            "paper of the default dtype": """
                height, width = (y.shape[0] - 1) * stride + w.shape[0], (y.shape[1] - 1) * stride + w.shape[1]
                paper = torch.zeros(height + output_padding, width + output_padding)
                for i in range(y.shape[0]):
                    for j in range(y.shape[1]):
                        paper[i * stride : i * stride + w.shape[0], j * stride : j * stride + w.shape[1]] += y[i, j] * w
                return paper[padding : len(paper) - padding, padding : paper.shape[1] - padding]
            """,
            "hands the work to torch": """
                return F.conv_transpose2d(y[None, None], w[None, None], None, stride, padding, output_padding)[0, 0]
            """,
        },
    ),
    right=STAMP_RIGHT,
    also_loses={
        "last stamp wins": ("test-stamp-crop",),
        "stamps flipped": ("test-stamp-crop",),
        "stamps turned": ("test-stamp-crop",),
        "stride times the input": ("test-stamp-crop",),
        "paper of the default dtype": ("test-stamp-crop",),
    },
)
CROPPING = """
    height, width = (y.shape[0] - 1) * stride + w.shape[0], (y.shape[1] - 1) * stride + w.shape[1]
    paper = torch.zeros(height, width, dtype=y.dtype)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            paper[i * stride : i * stride + w.shape[0], j * stride : j * stride + w.shape[1]] += y[i, j] * w
    {crop}
"""
STAMP_CROP = Question(
    test="test-stamp-crop",
    cell="stamp",
    wrong=functions(
        STAMP,
        {
            "cut first, then zeros": CROPPING.format(
                crop="return F.pad(paper[padding : height - padding, padding : width - padding], (0, output_padding) * 2)"
            ),
            "cut a little less, nothing to add": CROPPING.format(
                crop="return paper[padding : height - padding + output_padding, padding : width - padding + output_padding]"
            ),
            "more on top and left": CROPPING.format(
                crop="return F.pad(paper, (output_padding - padding, -padding, output_padding - padding, -padding))"
            ),
            "grown instead of cut": CROPPING.format(
                crop="return F.pad(paper, (padding, padding + output_padding) * 2)"
            ),
            "cut at the end only": CROPPING.format(
                crop="return F.pad(paper, (0, output_padding - 2 * padding) * 2)"
            ),
            "options ignored": CROPPING.format(crop="return paper"),
        },
    ),
    right=STAMP_RIGHT,
)

RANK1 = Question(
    test="test-rank1",
    cell="rank1",
    wrong=functions(
        "def best_rank1(kernel):",
        {
            "a column and a row of the kernel itself": """
                i, j = divmod(kernel.abs().argmax().item(), kernel.shape[1])
                column, row = kernel[:, j], kernel[i] / kernel[i, j]
                return column, row, torch.linalg.norm(kernel - torch.outer(column, row)).item()
            """,
            "singular value forgotten": """
                U, S, Vh = torch.linalg.svd(kernel)
                return U[:, 0], Vh[0], torch.linalg.norm(S[1:]).item()
            """,
            "singular value put in twice": """
                U, S, Vh = torch.linalg.svd(kernel)
                return U[:, 0] * S[0], Vh[0] * S[0], torch.linalg.norm(S[1:]).item()
            """,
            "row of U": """
                U, S, Vh = torch.linalg.svd(kernel)
                return U[0] * S[0], Vh[0], torch.linalg.norm(S[1:]).item()
            """,
            "Vh taken for V": """
                U, S, Vh = torch.linalg.svd(kernel)
                return U[:, 0] * S[0], Vh[:, 0], torch.linalg.norm(S[1:]).item()
            """,
            "root of the sum forgotten": """
                U, S, Vh = torch.linalg.svd(kernel)
                return U[:, 0] * S[0], Vh[0], (S[1:] ** 2).sum().item()
            """,
            "error is the next singular value": """
                U, S, Vh = torch.linalg.svd(kernel)
                return U[:, 0] * S[0], Vh[0], S[1].item()
            """,
            "last singular value": """
                U, S, Vh = torch.linalg.svd(kernel, full_matrices=False)
                return U[:, -1] * S[-1], Vh[-1], torch.linalg.norm(S[:-1]).item()
            """,
            "means of the rows and columns": """
                column, row = kernel.mean(1), kernel.mean(0)
                return column, row, torch.linalg.norm(kernel - torch.outer(column, row)).item()
            """,
        },
    ),
    right=functions(
        "def best_rank1(kernel):",
        {
            "power iteration": """
                row = kernel[kernel.abs().sum(1).argmax()].clone()
                for _ in range(200):
                    column = kernel @ row
                    column = column / column.norm()
                    row = kernel.T @ column
                return column, row, ((kernel - torch.outer(column, row)) ** 2).sum().sqrt()
            """,
            "largest eigenvector of the kernel times itself": """
                _, vectors = torch.linalg.eigh(kernel.T @ kernel)
                row = vectors[:, -1]
                column = kernel @ row
                return [column, row, float((kernel - torch.outer(column, row)).norm())]
            """,
            "numpy, the size shared by both, signs turned": """
                import numpy as np

                U, S, Vh = np.linalg.svd(kernel.numpy(), full_matrices=False)
                root = np.sqrt(S[0])
                return torch.from_numpy(-root * U[:, 0]), torch.from_numpy(-root * Vh[0]), np.sqrt((S[1:] ** 2).sum())
            """,
        },
    ),
)

SEPARABLE_CLASS = """
    class DepthwiseSeparable(nn.Module):
        def __init__(self, c_in, c_out, kernel, stride=1):
            super().__init__()
            self.first = nn.Conv2d({first})
            self.second = nn.Conv2d({second})

        def forward(self, x):
            return {result}
"""


def separable(
    first: str = "c_in, c_in, kernel, stride, kernel // 2, groups=c_in, bias=False",
    second: str = "c_in, c_out, 1, bias=False",
    result: str = "self.second(self.first(x))",
) -> str:
    """Give the text of the module's cell with one part changed."""
    return SEPARABLE_CLASS.format(first=first, second=second, result=result)


SEPARABLE = Question(
    test="test-separable",
    cell="separable",
    wrong=cells(
        {
            "biases left on": separable(
                "c_in, c_in, kernel, stride, kernel // 2, groups=c_in", "c_in, c_out, 1"
            ),
            "an ordinary convolution first": separable("c_in, c_in, kernel, stride, kernel // 2, bias=False"),
            "stride in both layers": separable(second="c_in, c_out, 1, stride, bias=False"),
            "stride forgotten": separable("c_in, c_in, kernel, 1, kernel // 2, groups=c_in, bias=False"),
            "padding fit for 3×3 only": separable("c_in, c_in, kernel, stride, 1, groups=c_in, bias=False"),
            "padding in the second layer too": separable(second="c_in, c_out, 1, padding=1, bias=False"),
            "ReLU in between": separable(result="self.second(torch.relu(self.first(x)))"),
            "ReLU at the end": separable(result="torch.relu(self.second(self.first(x)))"),
            "pointwise layer first": separable(
                "c_out, c_out, kernel, stride, kernel // 2, groups=c_out, bias=False",
                result="self.first(self.second(x))",
            ),
        }
    ),
    right=cells(
        {
            "stride in the second layer, which sees the same cells": separable(
                "c_in, c_in, kernel, 1, kernel // 2, groups=c_in, bias=False",
                "c_in, c_out, 1, stride, bias=False",
            ),
            "a sequence": """
                class DepthwiseSeparable(nn.Module):
                    def __init__(self, c_in, c_out, kernel, stride=1):
                        super().__init__()
                        self.layers = nn.Sequential(
                            nn.Conv2d(c_in, c_in, (kernel, kernel), stride, kernel // 2, 1, c_in, False),
                            nn.Conv2d(c_in, c_out, 1, bias=False),
                        )

                    def forward(self, x):
                        return self.layers(x)
            """,
            "own parameters, the second made first": """
                class DepthwiseSeparable(nn.Module):
                    def __init__(self, c_in, c_out, kernel, stride=1):
                        super().__init__()
                        self.mixing = nn.Parameter(torch.randn(c_out, c_in, 1, 1))
                        self.filters = nn.Parameter(torch.randn(c_in, 1, kernel, kernel))
                        self.stride = stride

                    def forward(self, x):
                        channels, _, kernel, _ = self.filters.shape
                        x = F.conv2d(x, self.filters, None, self.stride, kernel // 2, groups=channels)
                        return F.conv2d(x, self.mixing)
            """,
        }
    ),
)

GROUPED = Question(
    test="test-grouped",
    cell="grouped",
    wrong=functions(
        "def grouped_conv(x, weight, groups):",
        {
            "every groups-th channel": """
                filters = weight.chunk(groups, dim=0)
                return torch.cat([F.conv2d(x[:, g::groups], filters[g]) for g in range(groups)], dim=1)
            """,
            "every groups-th filter": """
                parts = x.chunk(groups, dim=1)
                return torch.cat([F.conv2d(parts[g], weight[g::groups]) for g in range(groups)], dim=1)
            """,
            "filters of the first group for all": """
                first = weight[: len(weight) // groups]
                return torch.cat([F.conv2d(part, first) for part in x.chunk(groups, dim=1)], dim=1)
            """,
            "groups added up": """
                pairs = zip(x.chunk(groups, dim=1), weight.chunk(groups, dim=0))
                return sum(F.conv2d(part, filters) for part, filters in pairs)
            """,
            "outputs dealt out in turn": """
                pairs = zip(x.chunk(groups, dim=1), weight.chunk(groups, dim=0))
                parts = [F.conv2d(part, filters) for part, filters in pairs]
                return torch.stack(parts, dim=2).flatten(1, 2)
            """,
            "images joined instead of channels": """
                pairs = zip(x.chunk(groups, dim=1), weight.chunk(groups, dim=0))
                return torch.cat([F.conv2d(part, filters) for part, filters in pairs], dim=0)
            """,
            "weight cut along its input axis": """
                pairs = zip(x.chunk(groups, dim=1), weight.chunk(groups, dim=1))
                return torch.cat([F.conv2d(part, filters) for part, filters in pairs], dim=1)
            """,
            "kernels of one cell only": """
                mixed = weight.sum(dim=(2, 3)).unflatten(0, (groups, -1))
                out = torch.einsum("goc,ngchw->ngohw", mixed, x.unflatten(1, (groups, -1)))
                return out.flatten(1, 2)
            """,
            "hands the work to torch": "return F.conv2d(x, weight, groups=groups)",
        },
    ),
    right=functions(
        "def grouped_conv(x, weight, groups):",
        {
            "one dense weight with zeros off the diagonal": """
                blocks = weight.chunk(groups, dim=0)
                dense = weight.new_zeros(len(weight), x.shape[1], *weight.shape[2:])
                for g, block in enumerate(blocks):
                    o, c = block.shape[:2]
                    dense[g * o : (g + 1) * o, g * c : (g + 1) * c] = block
                return F.conv2d(x, dense)
            """,
            "windows and einsum": """
                windows = x.unfold(2, weight.shape[2], 1).unfold(3, weight.shape[3], 1)
                windows = windows.unflatten(1, (groups, -1))
                filters = weight.unflatten(0, (groups, -1))
                return torch.einsum("ngchwab,gocab->ngohw", windows, filters).flatten(1, 2)
            """,
            "slices in a loop": """
                c, o = x.shape[1] // groups, weight.shape[0] // groups
                parts = []
                for g in range(groups):
                    parts.append(F.conv2d(x[:, c * g : c * g + c], weight[o * g : o * g + o]))
                return torch.cat(parts, 1)
            """,
        },
    ),
)

SHUFFLE = Question(
    test="test-shuffle",
    cell="shuffle",
    wrong=functions(
        "def channel_shuffle(x, groups):",
        {
            "shuffled back": """
                n, c, h, w = x.shape
                return x.reshape(n, c // groups, groups, h, w).transpose(1, 2).reshape(n, c, h, w)
            """,
            "rows never read downwards": """
                n, c, h, w = x.shape
                return x.reshape(n, groups, c // groups, h, w).reshape(n, c, h, w)
            """,
            "images shuffled too": """
                n, c, h, w = x.shape
                return x.reshape(groups, -1, h, w).transpose(0, 1).reshape(n, c, h, w)
            """,
            "height and channels swapped": """
                n, c, h, w = x.shape
                rows = x.reshape(n, groups, c // groups, h, w).transpose(2, 3)
                return rows.transpose(1, 2).reshape(n, c, h, w)
            """,
            "order for four channels only": "return x[:, [0, 2, 1, 3]]",
            "view where only reshape can": """
                n, c, h, w = x.shape
                return x.reshape(n, groups, c // groups, h, w).transpose(1, 2).view(n, c, h, w)
            """,
        },
    ),
    right=functions(
        "def channel_shuffle(x, groups):",
        {
            "a list of channel numbers": """
                width = x.shape[1] // groups
                return x[:, [g * width + i for i in range(width) for g in range(groups)]]
            """,
            "groups stacked side by side": """
                return torch.stack(x.chunk(groups, dim=1), dim=2).flatten(1, 2)
            """,
            "every width-th channel": """
                width = x.shape[1] // groups
                return torch.cat([x[:, i::width] for i in range(width)], dim=1)
            """,
        },
    ),
)

RANGE = Question(
    test="test-range",
    cell="range",
    wrong=functions(
        "def receptive_range(layers, position):",
        {
            "from the first layer on": """
                first = last = position
                for kernel, stride, padding, dilation in layers:
                    first, last = first * stride - padding, last * stride - padding + dilation * (kernel - 1)
                return first, last
            """,
            "dilation ignored": """
                first = last = position
                for kernel, stride, padding, dilation in reversed(layers):
                    first, last = first * stride - padding, last * stride - padding + kernel - 1
                return first, last
            """,
            "padding not widened by earlier strides": """
                first = last = position
                for kernel, stride, padding, dilation in reversed(layers):
                    first, last = first * stride, last * stride + dilation * (kernel - 1)
                shift = sum(padding for kernel, stride, padding, dilation in layers)
                return first - shift, last - shift
            """,
            "padding ignored": """
                first = last = position
                for kernel, stride, padding, dilation in reversed(layers):
                    first, last = first * stride, last * stride + dilation * (kernel - 1)
                return first, last
            """,
            "stride ignored": """
                first = last = position
                for kernel, stride, padding, dilation in reversed(layers):
                    first, last = first - padding, last - padding + dilation * (kernel - 1)
                return first, last
            """,
            "kernel times dilation": """
                first = last = position
                for kernel, stride, padding, dilation in reversed(layers):
                    first, last = first * stride - padding, last * stride - padding + dilation * kernel - 1
                return first, last
            """,
            "cut at the border": """
                first = last = position
                for kernel, stride, padding, dilation in reversed(layers):
                    first, last = first * stride - padding, last * stride - padding + dilation * (kernel - 1)
                return max(first, 0), last
            """,
            "one past the end": """
                first, last = position, position + 1
                for kernel, stride, padding, dilation in reversed(layers):
                    first, last = first * stride - padding, (last - 1) * stride - padding + dilation * (kernel - 1) + 1
                return first, last
            """,
        },
    ),
    right=functions(
        "def receptive_range(layers, position):",
        {
            "every touched cell": """
                cells = {position}
                for kernel, stride, padding, dilation in layers[::-1]:
                    cells = {c * stride - padding + t * dilation for c in cells for t in range(kernel)}
                return min(cells), max(cells)
            """,
            "recursion": """
                if not layers:
                    return position, position
                *front, (kernel, stride, padding, dilation) = layers
                start = position * stride - padding
                end = start + dilation * (kernel - 1)
                return receptive_range(front, start)[0], receptive_range(front, end)[1]
            """,
            "width, jump and start from the front": """
                width, jump, start = 1, 1, 0
                for kernel, stride, padding, dilation in layers:
                    width += dilation * (kernel - 1) * jump
                    start -= padding * jump
                    jump *= stride
                first = start + position * jump
                return [first, first + width - 1]
            """,
        },
    ),
)

RATES = Question(
    test="test-rates",
    cell="rates",
    wrong=cells(
        {
            "one rate for all": "rates = [4, 4, 4, 4]",
            "doubled, but from two": "rates = [2, 4, 8, 16]",
            "all even": "rates = [2, 2, 6, 8]",
            "one layer does it all": "rates = [1, 1, 1, 30]",
            "no dilation": "rates = [1, 1, 1, 1]",
            "three layers": "rates = [1, 4, 10]",
            "steps of five": "rates = [1, 5, 5, 5]",
            "fourfold": "rates = [1, 4, 16, 64]",
        }
    ),
    right=cells(
        {
            "threefold, the widest": "rates = [1, 3, 9, 27]",
            "from wide to narrow": "rates = [8, 4, 2, 1]",
            "small steps, as a tuple": "rates = (2, 3, 1, 9)",
        }
    ),
)


def cause(which: str, right: str, wrong: dict[str, str]) -> Question:
    """Give the question that asks what is wrong in a function."""
    name = f"{which}_mistake"
    return Question(
        test=f"test-{which}-choice",
        cell=f"{which}-choice",
        wrong={why: f'{name} = "{mark}"' for why, mark in wrong.items()},
        right={
            "the mark": f'{name} = "{right}"',
            "from a list": f"{name} = list('①②③④')[{'①②③④'.index(right)}]",
        },
    )


BIAS_CHOICE = cause(
    "bias",
    "③",
    {
        "input and output axis confused": "①",
        "channels are joined": "②",
        "bias along the width": "④",
        "a number": "3",
    },
)

BIAS = Question(
    test="test-bias",
    cell="bias",
    wrong=functions(
        "def conv_with_bias(x, weight, bias):",
        {
            "left as it was": """
                out = 0
                for c in range(len(x)):
                    out = out + F.conv2d(x[c : c + 1], weight[:, c : c + 1], bias)
                return out
            """,
            "bias along the width": """
                out = 0
                for c in range(len(x)):
                    out = out + F.conv2d(x[c : c + 1], weight[:, c : c + 1])
                return out + bias
            """,
            "half the bias each time": """
                out = 0
                for c in range(len(x)):
                    out = out + F.conv2d(x[c : c + 1], weight[:, c : c + 1], bias / 2)
                return out
            """,
            "bias dropped": """
                out = 0
                for c in range(len(x)):
                    out = out + F.conv2d(x[c : c + 1], weight[:, c : c + 1])
                return out
            """,
            "mean of the channels": """
                out = 0
                for c in range(len(x)):
                    out = out + F.conv2d(x[c : c + 1], weight[:, c : c + 1], bias)
                return out / len(x)
            """,
            "bias with the last of two channels": """
                out = F.conv2d(x[:1], weight[:, :1])
                for c in range(1, len(x)):
                    out = out + F.conv2d(x[c : c + 1], weight[:, c : c + 1], bias)
                return out
            """,
        },
    ),
    right=functions(
        "def conv_with_bias(x, weight, bias):",
        {
            "all channels at once": "return F.conv2d(x, weight, bias)",
            "an equal share each time": """
                out = 0
                for c in range(len(x)):
                    out = out + F.conv2d(x[c : c + 1], weight[:, c : c + 1], bias / len(x))
                return out
            """,
            "with the first channel only": """
                out = 0
                for c in range(len(x)):
                    out = out + F.conv2d(x[c : c + 1], weight[:, c : c + 1], bias if c == 0 else None)
                return out
            """,
        },
    ),
)

UPSAMPLE_CHOICE = cause(
    "upsample",
    "①",
    {"padding grows the output": "②", "wrong side": "③", "kernel flipped": "④", "a number": "1"},
)

UPSAMPLE_BODY = """
    full = F.conv_transpose2d(y, weight, stride=stride)
    height, width = full.shape[-2:]
    {cut}
"""
UPSAMPLE = Question(
    test="test-upsample",
    cell="upsample",
    wrong=functions(
        "def upsample(y, weight, stride, padding, output_padding):",
        {
            "left as it was": UPSAMPLE_BODY.format(
                cut="return F.pad(full[..., padding : height - padding, padding : width - padding], (0, output_padding) * 2)"
            ),
            "cut a little less, nothing to add": UPSAMPLE_BODY.format(
                cut="return full[..., padding : height - padding + output_padding, padding : width - padding + output_padding]"
            ),
            "more on top and left": UPSAMPLE_BODY.format(
                cut="return F.pad(full, (output_padding - padding, -padding) * 2)"
            ),
            "grown instead of cut": UPSAMPLE_BODY.format(
                cut="return F.pad(full, (padding, padding + output_padding) * 2)"
            ),
            "output padding dropped": UPSAMPLE_BODY.format(
                cut="return full[..., padding : height - padding, padding : width - padding]"
            ),
            "edge repeated": UPSAMPLE_BODY.format(
                cut="return F.pad(full[..., padding : height - padding, padding : width - padding], (0, output_padding) * 2, mode='replicate')"
            ),
        },
    ),
    right=functions(
        "def upsample(y, weight, stride, padding, output_padding):",
        {
            "all left to torch": """
                return F.conv_transpose2d(
                    y, weight, stride=stride, padding=padding, output_padding=output_padding
                )
            """,
            "one pad that may be negative": UPSAMPLE_BODY.format(
                cut="return F.pad(full, (-padding, output_padding - padding) * 2)"
            ),
            "copied onto a larger paper": UPSAMPLE_BODY.format(
                cut="""
    paper = full.new_zeros(*full.shape[:2], height + output_padding, width + output_padding)
    paper[..., :height, :width] = full
    return paper[..., padding : paper.shape[2] - padding, padding : paper.shape[3] - padding]
"""
            ),
        },
    ),
)

FLIP_CHOICE = cause(
    "flip", "②", {"torch flips already": "①", "input flipped too": "③", "flip in place": "④", "a number": "2"}
)

FLIP = Question(
    test="test-flip",
    cell="flip",
    wrong=functions(
        "def convolve(x, weight):",
        {
            "left as it was": "return F.conv2d(x[None], weight.flip(1, 2))[0]",
            "channels flipped too": "return F.conv2d(x[None], weight.flip(1, 2, 3))[0]",
            "filters flipped too": "return F.conv2d(x[None], weight.flip(0, 2, 3))[0]",
            "everything flipped": "return F.conv2d(x[None], weight.flip(0, 1, 2, 3))[0]",
            "never flipped": "return F.conv2d(x[None], weight)[0]",
            "flipped twice": "return F.conv2d(x[None], weight.flip(2, 3).flip(2, 3))[0]",
            "one direction only": "return F.conv2d(x[None], weight.flip(3))[0]",
            "turned over the diagonal": "return F.conv2d(x[None], weight.transpose(2, 3))[0]",
            "input flipped": "return F.conv2d(x.flip(1, 2)[None], weight)[0]",
        },
    ),
    right=functions(
        "def convolve(x, weight):",
        {
            "counted from the end": "return F.conv2d(x[None], weight.flip((-1, -2)))[0]",
            "input flipped, then the output": "return F.conv2d(x.flip(1, 2), weight).flip(1, 2)",
            "half a turn": "return F.conv2d(x, torch.rot90(weight, 2, (2, 3)))",
            "middle of a transposed convolution": """
                height, width = weight.shape[2:]
                full = F.conv_transpose2d(x[None], weight.transpose(0, 1))[0]
                return full[:, height - 1 : full.shape[1] - height + 1, width - 1 : full.shape[2] - width + 1]
            """,
        },
    ),
)

IM2COL = Question(
    test="test-im2col",
    cell="im2col",
    wrong=functions(
        "def conv2d_matmul(x, weight):",
        {
            "a loop over the places": """
                height, width = weight.shape[2:]
                rows, columns = x.shape[2] - height + 1, x.shape[3] - width + 1
                windows = [x[:, :, i : i + height, j : j + width].flatten(1) for i in range(rows) for j in range(columns)]
                return (torch.stack(windows, 1) @ weight.flatten(1).T).transpose(1, 2).reshape(len(x), -1, rows, columns)
            """,
            "a loop over the values of the kernel": """
                rows, columns = x.shape[2] - weight.shape[2] + 1, x.shape[3] - weight.shape[3] + 1
                out = 0
                for a in range(weight.shape[2]):
                    for b in range(weight.shape[3]):
                        part = x[:, :, a : a + rows, b : b + columns]
                        out = out + torch.einsum("oc,nchw->nohw", weight[:, :, a, b], part)
                return out
            """,
            "a loop over the images": """
                rows, columns = x.shape[2] - weight.shape[2] + 1, x.shape[3] - weight.shape[3] + 1
                maps = [weight.flatten(1) @ F.unfold(image[None], weight.shape[2:])[0] for image in x]
                return torch.stack(maps).reshape(len(x), -1, rows, columns)
            """,
            "channel axis reshaped instead of moved": """
                rows, columns = x.shape[2] - weight.shape[2] + 1, x.shape[3] - weight.shape[3] + 1
                windows = F.unfold(x, weight.shape[2:]).transpose(1, 2)
                return (windows @ weight.flatten(1).T).reshape(len(x), -1, rows, columns)
            """,
            "square input assumed": """
                side = x.shape[2] - weight.shape[2] + 1
                return (weight.flatten(1) @ F.unfold(x, weight.shape[2:])).reshape(len(x), -1, side, side)
            """,
            "channels last in the window": """
                rows, columns = x.shape[2] - weight.shape[2] + 1, x.shape[3] - weight.shape[3] + 1
                filters = weight.permute(0, 2, 3, 1).flatten(1)
                return (filters @ F.unfold(x, weight.shape[2:])).reshape(len(x), -1, rows, columns)
            """,
            "hands the work to torch": "return F.conv2d(x, weight)",
        },
    ),
    right=functions(
        "def conv2d_matmul(x, weight):",
        {
            "two views and einsum": """
                windows = x.unfold(2, weight.shape[2], 1).unfold(3, weight.shape[3], 1)
                return torch.einsum("nchwab,ocab->nohw", windows, weight)
            """,
            "strides": """
                height, width = weight.shape[2:]
                n, c, h, w = x.shape
                size = (n, c, h - height + 1, w - width + 1, height, width)
                windows = x.contiguous().as_strided(size, (c * h * w, h * w, w, 1, w, 1))
                return torch.tensordot(windows, weight, dims=([1, 4, 5], [1, 2, 3])).permute(0, 3, 1, 2)
            """,
            "table of indices": """
                height, width = weight.shape[2:]
                i = torch.arange(x.shape[2] - height + 1)[:, None, None, None] + torch.arange(height)[:, None]
                j = torch.arange(x.shape[3] - width + 1)[:, None, None] + torch.arange(width)
                windows = x[:, :, i, j]
                rows = windows.permute(0, 2, 3, 1, 4, 5).flatten(3)
                return (rows @ weight.flatten(1).T).permute(0, 3, 1, 2)
            """,
        },
    ),
)

QUESTIONS = (
    SINGLE_BASIC,
    SINGLE_OPTIONS,
    CHANNELS_QUESTION,
    POINTWISE,
    MATRIX,
    THROUGH,
    STAMP_STRIDE,
    STAMP_CROP,
    RANK1,
    SEPARABLE,
    GROUPED,
    SHUFFLE,
    RANGE,
    RATES,
    BIAS_CHOICE,
    BIAS,
    UPSAMPLE_CHOICE,
    UPSAMPLE,
    FLIP_CHOICE,
    FLIP,
    IM2COL,
)
