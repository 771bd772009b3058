"""Known-wrong and different-right answers to the assignment ``models``."""

from __future__ import annotations

from autograders.banks import Question, cells, functions, slip, slips

# --- part 1 ------------------------------------------------------------------------------------------------

COUNT_PARAMS = Question(
    test="test-count-params",
    cell="count-params",
    wrong=functions(
        "def count_parameters(net):",
        {
            "everything in the state dict": """
                total = sum(v.numel() for v in net.state_dict().values())
                trainable = sum(p.numel() for p in net.parameters() if p.requires_grad)
                return trainable, total
            """,
            "frozen ones taken for trainable": """
                total = sum(p.numel() for p in net.parameters())
                return total, total
            """,
            "frozen ones left out of the total": """
                trainable = sum(p.numel() for p in net.parameters() if p.requires_grad)
                return trainable, trainable
            """,
            "outermost layers only": """
                layers = list(net.children()) or [net]
                own = [p for m in layers for p in m.parameters(recurse=False)]
                return sum(p.numel() for p in own if p.requires_grad), sum(p.numel() for p in own)
            """,
            "shared layer counted for each place": """
                layers = list(net) if isinstance(net, nn.Sequential) else [net]
                own = [p for m in layers for p in m.parameters()]
                return sum(p.numel() for p in own if p.requires_grad), sum(p.numel() for p in own)
            """,
            "biases forgotten": """
                own = [p for name, p in net.named_parameters() if name.endswith("weight")]
                return sum(p.numel() for p in own if p.requires_grad), sum(p.numel() for p in own)
            """,
            "tensors counted instead of values": """
                own = list(net.parameters())
                return sum(p.requires_grad for p in own), len(own)
            """,
        },
    ),
    right=functions(
        "def count_parameters(net):",
        {
            "module by module, shared ones once": """
                seen, trainable, total = set(), 0, 0
                for module in net.modules():
                    for p in module._parameters.values():
                        if p is None or id(p) in seen:
                            continue
                        seen.add(id(p))
                        total += p.numel()
                        trainable += p.numel() * p.requires_grad
                return trainable, total
            """,
            "from the shapes": """
                import math

                sizes = [(math.prod(p.shape), p.requires_grad) for _, p in net.named_parameters()]
                return sum(n for n, learns in sizes if learns), sum(n for n, _ in sizes)
            """,
        },
    ),
)

MACS = "def count_macs(net, shape):"
MACS_BY_HOOK = """
def count_macs(net, shape):
    counts = []

    def hook(layer, inputs, output):
        if isinstance(layer, nn.Conv2d):
            height, width = layer.kernel_size
            counts.append(output.numel() * (layer.in_channels // layer.groups) * height * width)
        else:
            counts.append(output.numel() * layer.in_features)

    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    handles = [m.register_forward_hook(hook) for m in layers]
    mode = net.training
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, *shape))
    net.train(mode)
    for handle in handles:
        handle.remove()
    return sum(counts)
""".strip()
COUNT_MACS = Question(
    test="test-count-macs",
    cell="count-macs",
    wrong=slips(
        MACS_BY_HOOK,
        {
            "groups ignored": ("(layer.in_channels // layer.groups)", "layer.in_channels"),
            "hooks left on": ("    for handle in handles:\n        handle.remove()\n", ""),
            "left in eval mode": ("    net.train(mode)\n", ""),
            "run in training mode": ("    net.eval()\n", ""),
            "weights counted instead of multiplications": ("output.numel() *", "output.shape[1] *"),
            "square kernels assumed": ("height * width)", "height * height)"),
            "each layer once": ("return sum(counts)", "return sum(counts[: len(layers)])"),
            "input size instead of output size": ("output.numel() * (layer", "inputs[0].numel() * (layer"),
        },
    )
    | functions(
        MACS,
        {
            "bias counted": """
                from torch.utils.flop_counter import FlopCounterMode

                mode = net.training
                with FlopCounterMode(display=False) as counter, torch.no_grad():
                    net.eval()(torch.zeros(1, *shape))
                net.train(mode)
                biases = sum(m.bias is not None for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear)))
                return counter.get_total_flops() // 2 + biases
            """,
        },
    ),
    right=functions(
        MACS,
        {
            "one hook for all modules": """
                total = 0

                def hook(layer, inputs, output):
                    nonlocal total
                    if isinstance(layer, nn.Conv2d):
                        total += output[0].numel() * layer.weight[0].numel()
                    elif isinstance(layer, nn.Linear):
                        total += output.numel() * layer.weight.shape[1]

                mode = net.training
                handle = nn.modules.module.register_module_forward_hook(hook)
                try:
                    with torch.no_grad():
                        net.eval()(torch.randn(1, *shape))
                finally:
                    handle.remove()
                    net.train(mode)
                return total
            """,
            "the counter of torch, halved": """
                from torch.utils.flop_counter import FlopCounterMode

                mode = net.training
                net.eval()
                with FlopCounterMode(display=False) as counter, torch.no_grad():
                    net(torch.zeros(1, *shape))
                net.train(mode)
                return counter.get_total_flops() // 2
            """,
            "on a copy that is thrown away": """
                import copy

                other = copy.deepcopy(net).eval()
                counts = []
                for m in other.modules():
                    if isinstance(m, (nn.Conv2d, nn.Linear)):
                        m.register_forward_hook(lambda m, i, o: counts.append(o.numel() * m.weight[0].numel()))
                with torch.no_grad():
                    other(torch.ones(1, *shape))
                return sum(counts)
            """,
        },
    ),
)

# --- part 2 ------------------------------------------------------------------------------------------------

LENET_SEQUENTIAL = """
class LeNet5(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(),
            nn.Linear(120, 84), nn.ReLU(),
            nn.Linear(84, num_classes),
        )

    def forward(self, x):
        return self.net(x)
""".strip()
LENET = Question(
    test="test-lenet",
    cell="lenet",
    wrong=slips(
        LENET_SEQUENTIAL,
        {
            "probabilities instead of scores": ("num_classes),\n", "num_classes), nn.Softmax(dim=1),\n"),
            "activation after the scores": ("num_classes),\n", "num_classes), nn.ReLU(),\n"),
            "average pooling": ("MaxPool2d", "AvgPool2d"),
            "tanh": ("nn.ReLU()", "nn.Tanh()"),
            "no activation between fully connected layers": ("120), nn.ReLU()", "120)"),
            "no activation after the convolutions": ("5), nn.ReLU()", "5)"),
            "output without bias": ("nn.Linear(84, num_classes)", "nn.Linear(84, num_classes, bias=False)"),
            "number of classes fixed": ("nn.Linear(84, num_classes)", "nn.Linear(84, 10)"),
            "forward returns nothing": ("return self.net(x)", "self.net(x)"),
        },
    ),
    right={
        "one sequential": LENET_SEQUENTIAL,
        "pooling before the activation": slip(
            LENET_SEQUENTIAL, "nn.ReLU(), nn.MaxPool2d(2)", "nn.MaxPool2d(2), nn.ReLU()"
        ),
    }
    | cells(
        {
            "C5 as a convolution, activation functions in place": """
                class LeNet5(nn.Module):
                    def __init__(self, num_classes=10):
                        super().__init__()
                        self.out = nn.Linear(84, num_classes)
                        self.f6 = nn.LazyLinear(84)
                        self.convs = nn.ModuleList([nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 5)])

                    def forward(self, x):
                        for i, conv in enumerate(self.convs):
                            x = F.relu(conv(x), inplace=True)
                            if i < 2:
                                x = F.max_pool2d(x, kernel_size=2, stride=2)
                        return self.out(F.relu(self.f6(x.reshape(len(x), -1)), inplace=True))
            """
        }
    ),
)

VGG_LOOP = """
def vgg_block(c_in, c_out, depth):
    net = nn.Sequential()
    for i in range(depth):
        net.append(nn.Conv2d(c_in, c_out, 3, padding=1))
        net.append(nn.ReLU(inplace=True))
        c_in = c_out
    net.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return net
""".strip()
VGG = Question(
    test="test-vgg",
    cell="vgg",
    wrong=slips(
        VGG_LOOP,
        {
            "no activation": ("        net.append(nn.ReLU(inplace=True))\n", ""),
            "one activation at the end": (
                "        net.append(nn.ReLU(inplace=True))\n",
                "",
                "    net.append(nn.Max",
                "    net.append(nn.ReLU())\n    net.append(nn.Max",
            ),
            "average pooling": ("MaxPool2d", "AvgPool2d"),
            "no padding": (", padding=1", ""),
            "pooling after every convolution": (
                "inplace=True))\n",
                "inplace=True))\n        net.append(nn.MaxPool2d(2))\n",
            ),
            "without bias": ("padding=1", "padding=1, bias=False"),
            "one convolution whatever the depth": ("range(depth)", "range(1)"),
            "overlapping windows": ("kernel_size=2, stride=2", "kernel_size=3, stride=2, padding=1"),
        },
    )
    | functions(
        "def vgg_block(c_in, c_out, depth):",
        {
            "one convolution used again and again": """
                first, again = nn.Conv2d(c_in, c_out, 3, padding=1), nn.Conv2d(c_out, c_out, 3, padding=1)
                return nn.Sequential(first, nn.ReLU(), *[again, nn.ReLU()] * (depth - 1), nn.MaxPool2d(2))
            """,
        },
    ),
    right={"a loop": VGG_LOOP}
    | cells(
        {
            "a class": """
                class VGGBlock(nn.Module):
                    def __init__(self, widths):
                        super().__init__()
                        pairs = zip(widths[:-1], widths[1:])
                        self.convs = nn.ModuleList([nn.Conv2d(a, b, (3, 3), padding="same") for a, b in pairs])

                    def forward(self, x):
                        for conv in self.convs:
                            x = torch.relu(conv(x))
                        return F.max_pool2d(x, 2)


                def vgg_block(c_in, c_out, depth):
                    return VGGBlock([c_in] + depth * [c_out])
            """,
            "recursion": """
                def vgg_block(c_in, c_out, depth):
                    if depth == 0:
                        return nn.MaxPool2d(2)
                    rest = vgg_block(c_out, c_out, depth - 1)
                    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, 1, 1), nn.ReLU(), rest)
            """,
        }
    ),
)

INCEPTION_FUNCTIONAL = """
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3_reduce, c3, c5_reduce, c5, c_pool):
        super().__init__()
        self.project = nn.Conv2d(c_in, c_pool, 1)
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three_reduce = nn.Conv2d(c_in, c3_reduce, 1)
        self.three = nn.Conv2d(c3_reduce, c3, 3, padding=1)
        self.five_reduce = nn.Conv2d(c_in, c5_reduce, 1)
        self.five = nn.Conv2d(c5_reduce, c5, 5, padding=2)

    def forward(self, x):
        a = self.one(x)
        b = self.three(F.relu(self.three_reduce(x)))
        c = self.five(F.relu(self.five_reduce(x)))
        d = self.project(F.max_pool2d(x, 3, stride=1, padding=1))
        return F.relu(torch.cat([a, b, c, d], dim=1))
""".strip()
INCEPTION = Question(
    test="test-inception",
    cell="inception",
    wrong=slips(
        INCEPTION_FUNCTIONAL,
        {
            "branches in another order": ("[a, b, c, d]", "[d, a, b, c]"),
            "3 × 3 and 5 × 5 swapped": ("[a, b, c, d]", "[a, c, b, d]"),
            "no activation after the reductions": (
                "F.relu(self.three_reduce(x))",
                "self.three_reduce(x)",
                "F.relu(self.five_reduce(x))",
                "self.five_reduce(x)",
            ),
            "no activation at the end": (
                "F.relu(torch.cat([a, b, c, d], dim=1))",
                "torch.cat([a, b, c, d], dim=1)",
            ),
            "average pooling": ("max_pool2d", "avg_pool2d"),
            "pooling with its default stride": ("3, stride=1, padding=1", "3, padding=1"),
            "put together along the batch": ("dim=1", "dim=0"),
            "3 × 3 in place of 5 × 5": ("5, padding=2", "3, padding=1"),
            "convolutions without bias": ("1)\n", "1, bias=False)\n"),
        },
    ),
    right={"activation once at the end": INCEPTION_FUNCTIONAL}
    | cells(
        {
            "a helper for a convolution and its activation": """
                def conv_relu(*args, **options):
                    return nn.Sequential(nn.Conv2d(*args, **options), nn.ReLU(inplace=True))


                class Inception(nn.Module):
                    def __init__(self, c_in, c1, c3_reduce, c3, c5_reduce, c5, c_pool):
                        super().__init__()
                        self.branches = nn.ModuleList(
                            [
                                conv_relu(c_in, c1, 1),
                                nn.Sequential(conv_relu(c_in, c3_reduce, 1), conv_relu(c3_reduce, c3, 3, padding=1)),
                                nn.Sequential(conv_relu(c_in, c5_reduce, 1), conv_relu(c5_reduce, c5, 5, padding=2)),
                                nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_relu(c_in, c_pool, 1)),
                            ]
                        )

                    def forward(self, x):
                        return torch.cat([branch(x) for branch in self.branches], dim=1)
            """
        }
    ),
)

# --- part 3 ------------------------------------------------------------------------------------------------

RESIDUAL_SEQUENTIAL = """
class ResidualBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.project = None
        if stride > 1 or c_in != c_out:
            self.project = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False),
                nn.BatchNorm2d(c_out),
            )
        self.path = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
        )

    def forward(self, x):
        skip = x if self.project is None else self.project(x)
        return F.relu(self.path(x) + skip)
""".strip()
RESIDUAL_RIGHT = {"two paths": RESIDUAL_SEQUENTIAL} | cells(
    {
        "activation functions in place": """
            class ResidualBlock(nn.Module):
                def __init__(self, c_in, c_out, stride=1):
                    super().__init__()
                    self.same = (c_in, stride) == (c_out, 1)
                    self.norms = nn.ModuleList([nn.BatchNorm2d(c_out) for _ in range(2 if self.same else 3)])
                    self.a = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
                    self.b = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
                    if not self.same:
                        self.c = nn.Conv2d(c_in, c_out, 1, stride, bias=False)

                def forward(self, x):
                    out = F.relu_(self.norms[0](self.a(x)))
                    out = self.norms[1](self.b(out))
                    out += x if self.same else self.norms[2](self.c(x))
                    return F.relu_(out)
        """
    }
)
RESIDUAL_IDENTITY = Question(
    test="test-residual-identity",
    cell="residual",
    wrong=slips(
        RESIDUAL_SEQUENTIAL,
        {
            "activation before the sum": ("F.relu(self.path(x) + skip)", "F.relu(self.path(x)) + skip"),
            "both activated, then added": (
                "F.relu(self.path(x) + skip)",
                "F.relu(self.path(x)) + F.relu(skip)",
            ),
            "skip lost": ("self.path(x) + skip", "self.path(x)"),
            "always projected": ("if stride > 1 or c_in != c_out:", "if True:"),
            "no activation in the middle": ("            nn.ReLU(),\n", ""),
            "convolutions with bias": (", bias=False", ""),
            "skip cut from the gradients": ("skip = x if", "skip = x.detach() if"),
        },
    ),
    right=RESIDUAL_RIGHT,
    also_loses={
        "*": ("test-residual-projection",),
        "always projected": (),
        "skip cut from the gradients": (),
    },
)
RESIDUAL_PROJECTION = Question(
    test="test-residual-projection",
    cell="residual",
    wrong=slips(
        RESIDUAL_SEQUENTIAL,
        {
            "projection without batch norm": ("                nn.BatchNorm2d(c_out),\n", ""),
            "projected only where channels change": ("stride > 1 or c_in != c_out", "c_in != c_out"),
            "projected only where the size changes": ("stride > 1 or c_in != c_out", "stride > 1"),
            "stride in the second convolution": (
                "3, stride=stride, padding=1, bias=False",
                "3, padding=1, bias=False ",
                "nn.Conv2d(c_out, c_out, 3, padding=1",
                "nn.Conv2d(c_out, c_out, 3, stride=stride, padding=1",
            ),
            "projection with bias": ("1, stride=stride, bias=False", "1, stride=stride"),
        },
    ),
    right=RESIDUAL_RIGHT,
)

RESNEXT_SEQUENTIAL = """
class ResNeXtBlock(nn.Module):
    def __init__(self, channels, cardinality, width):
        super().__init__()
        inside = cardinality * width
        self.path = nn.Sequential(
            nn.Conv2d(channels, inside, 1, bias=False), nn.BatchNorm2d(inside), nn.ReLU(),
            nn.Conv2d(inside, inside, 3, padding=1, groups=cardinality, bias=False), nn.BatchNorm2d(inside), nn.ReLU(),
            nn.Conv2d(inside, channels, 1, bias=False), nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        return F.relu(x + self.path(x))
""".strip()
RESNEXT = Question(
    test="test-resnext",
    cell="resnext",
    wrong=slips(
        RESNEXT_SEQUENTIAL,
        {
            "no groups": (", groups=cardinality", ""),
            "width as the number of groups": ("groups=cardinality", "groups=width"),
            "width of all groups together": (
                "inside = cardinality * width",
                "inside = max(width, cardinality)",
            ),
            "no activation after the grouped convolution": (
                "nn.BatchNorm2d(inside), nn.ReLU(),\n            nn.Conv2d(inside, channels",
                "nn.BatchNorm2d(inside),\n            nn.Conv2d(inside, channels",
            ),
            "no activation after the reduction": (
                "1, bias=False), nn.BatchNorm2d(inside), nn.ReLU()",
                "1, bias=False), nn.BatchNorm2d(inside)",
            ),
            "activation before the sum": ("F.relu(x + self.path(x))", "x + F.relu(self.path(x))"),
            "no activation at the end": ("F.relu(x + self.path(x))", "x + self.path(x)"),
            "skip lost": ("x + self.path(x)", "self.path(x)"),
            "groups everywhere": ("1, bias=False", "1, groups=cardinality, bias=False"),
        },
    ),
    right={"one path": RESNEXT_SEQUENTIAL}
    | cells(
        {
            "a helper and a loop": """
                class ResNeXtBlock(nn.Module):
                    def __init__(self, channels, cardinality, width):
                        super().__init__()
                        w = width * cardinality
                        plan = [(channels, w, 1, 1), (w, w, 3, cardinality), (w, channels, 1, 1)]
                        self.convs = nn.ModuleList(
                            nn.Conv2d(a, b, k, padding=k // 2, groups=g, bias=False) for a, b, k, g in plan
                        )
                        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for _, b, _, _ in plan)

                    def forward(self, x):
                        out = x
                        for i in range(3):
                            out = self.norms[i](self.convs[i](out))
                            if i == 2:
                                out = out + x
                            out = out.relu()
                        return out
            """
        }
    ),
)

DENSE_LISTS = """
class DenseBlock(nn.Module):
    def __init__(self, c_in, depth, growth):
        super().__init__()
        self.norms, self.convs = nn.ModuleList(), nn.ModuleList()
        for _ in range(depth):
            self.norms.append(nn.BatchNorm2d(c_in))
            self.convs.append(nn.Conv2d(c_in, growth, 3, padding=1, bias=False))
            c_in += growth

    def forward(self, x):
        for norm, conv in zip(self.norms, self.convs):
            new = conv(F.relu(norm(x)))
            x = torch.cat((x, new), dim=1)
        return x
""".strip()
DENSE = Question(
    test="test-dense",
    cell="dense",
    wrong=slips(
        DENSE_LISTS,
        {
            "new maps in front": ("(x, new)", "(new, x)"),
            "no activation": ("F.relu(norm(x))", "norm(x)"),
            "no batch norm in the computation": ("F.relu(norm(x))", "F.relu(x)"),
            "activation before batch norm": ("F.relu(norm(x))", "norm(F.relu(x))"),
            "activation after the convolution": ("conv(F.relu(norm(x)))", "F.relu(conv(norm(x)))"),
            "batch norm after the convolution": (
                "nn.BatchNorm2d(c_in)",
                "nn.BatchNorm2d(growth)",
                "conv(F.relu(norm(x)))",
                "F.relu(norm(conv(x)))",
            ),
            "only what is new comes out": ("return x", "return new"),
            "with bias": (", bias=False", ""),
            "input of the block damaged in place": ("F.relu(norm(x))", "F.relu(norm(F.relu_(x)))"),
            "layers in a plain list": ("nn.ModuleList(), nn.ModuleList()", "[], []"),
        },
    ),
    right={"two lists": DENSE_LISTS}
    | cells(
        {
            "all maps kept in a list": """
                class DenseBlock(nn.Module):
                    def __init__(self, c_in, depth, growth):
                        super().__init__()
                        for i in range(depth):
                            width = c_in + i * growth
                            self.add_module(f"norm{i}", nn.BatchNorm2d(width))
                            self.add_module(f"conv{i}", nn.Conv2d(width, growth, 3, 1, 1, bias=False))
                        self.depth = depth

                    def forward(self, x):
                        maps = [x]
                        for i in range(self.depth):
                            y = getattr(self, f"norm{i}")(torch.cat(maps, dim=1)).relu()
                            maps.append(getattr(self, f"conv{i}")(y))
                        return torch.cat(maps, dim=1)
            """
        }
    ),
)

# --- part 4 ------------------------------------------------------------------------------------------------

SE_CONV = """
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.down = nn.Conv2d(channels, channels // reduction, 1)
        self.up = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x):
        s = F.adaptive_avg_pool2d(x, 1)
        s = F.relu(self.down(s))
        s = torch.sigmoid(self.up(s))
        return x * s
""".strip()
SE = Question(
    test="test-se",
    cell="se",
    wrong=slips(
        SE_CONV,
        {
            "largest value instead of the mean": ("adaptive_avg_pool2d", "adaptive_max_pool2d"),
            "no activation between": ("F.relu(self.down(s))", "self.down(s)"),
            "no sigmoid": ("torch.sigmoid(self.up(s))", "self.up(s)"),
            "softmax over the channels": ("torch.sigmoid(self.up(s))", "torch.softmax(self.up(s), dim=1)"),
            "added instead of multiplied": ("x * s", "x + s"),
            "mean over the batch too": ("F.adaptive_avg_pool2d(x, 1)", "x.mean(dim=(0, 2, 3), keepdim=True)"),
            "without bias": (", 1)\n        self.up", ", 1, bias=False)\n        self.up"),
            "only the scale comes out": ("return x * s", "return s"),
            "reduction as the number of units": ("channels // reduction", "reduction"),
            "nothing squeezed": ("F.adaptive_avg_pool2d(x, 1)", "x"),
            "scale cut from the gradients": ("x * s", "x * s.detach()"),
        },
    ),
    right={"1 × 1 convolutions": SE_CONV}
    | cells(
        {
            "a sequential": """
                class SEBlock(nn.Module):
                    def __init__(self, channels, reduction=16):
                        super().__init__()
                        hidden = channels // reduction
                        self.scale = nn.Sequential(
                            nn.AdaptiveAvgPool2d(1),
                            nn.Flatten(),
                            nn.Linear(channels, hidden),
                            nn.ReLU(inplace=True),
                            nn.Linear(hidden, channels),
                            nn.Sigmoid(),
                        )

                    def forward(self, x):
                        return torch.einsum("nchw,nc->nchw", x, self.scale(x))
            """
        }
    ),
)

SEPARABLE_SEQUENTIAL = """
class SeparableConv(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(c_in, c_in, 3, stride=stride, padding=1, groups=c_in, bias=False),
            nn.BatchNorm2d(c_in), nn.ReLU(inplace=True),
            nn.Conv2d(c_in, c_out, 1, bias=False),
            nn.BatchNorm2d(c_out), nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.block(x)
""".strip()
SEPARABLE = Question(
    test="test-separable",
    cell="separable",
    wrong=slips(
        SEPARABLE_SEQUENTIAL,
        {
            "no groups": (", groups=c_in", ""),
            "no activation in the middle": (
                "nn.BatchNorm2d(c_in), nn.ReLU(inplace=True)",
                "nn.BatchNorm2d(c_in)",
            ),
            "no batch norm in the middle": ("nn.BatchNorm2d(c_in), ", ""),
            "no activation at the end": (
                "nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)",
                "nn.BatchNorm2d(c_out)",
            ),
            "stride in the 1 × 1 convolution": ("3, stride=stride,", "3,", "c_out, 1,", "c_out, 1, stride,"),
            "pointwise first": (
                "c_in, c_in, 3, stride=stride, padding=1, groups=c_in",
                "c_in, c_out, 1",
                "nn.BatchNorm2d(c_in)",
                "nn.BatchNorm2d(c_out) ",
                "nn.Conv2d(c_in, c_out, 1, bias=False),\n            nn.BatchNorm2d(c_out),",
                "nn.Conv2d(c_out, c_out, 3, stride, 1, groups=c_out, bias=False),\n            nn.BatchNorm2d(c_out),",
            ),
            "stride ignored": ("3, stride=stride", "3"),
            "with bias": (", bias=False", ""),
            "cut at six": (
                "nn.BatchNorm2d(c_in), nn.ReLU(inplace=True)",
                "nn.BatchNorm2d(c_in), nn.Hardtanh(0, 0.5)",
            ),
        },
    ),
    right={"a sequential": SEPARABLE_SEQUENTIAL}
    | cells(
        {
            "a subclass of sequential": """
                class SeparableConv(nn.Sequential):
                    def __init__(self, c_in, c_out, stride=1):
                        layers = []
                        for a, b, options in [
                            (c_in, c_in, {"kernel_size": 3, "stride": stride, "padding": 1, "groups": c_in}),
                            (c_in, c_out, {"kernel_size": 1}),
                        ]:
                            layers += [nn.Conv2d(a, b, bias=False, **options), nn.BatchNorm2d(b), nn.ReLU()]
                        super().__init__(*layers)
            """,
            "functions of torch": """
                class SeparableConv(nn.Module):
                    def __init__(self, c_in, c_out, stride=1):
                        super().__init__()
                        self.stride = stride
                        self.pw = nn.Linear(c_in, c_out, bias=False)
                        self.dw = nn.Conv2d(c_in, c_in, 3, groups=c_in, bias=False)
                        self.bn_out, self.bn_in = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_in)

                    def forward(self, x):
                        x = F.conv2d(x, self.dw.weight, stride=self.stride, padding=1, groups=x.shape[1])
                        x = torch.relu(self.bn_in(x))
                        x = self.pw(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
                        return torch.relu(self.bn_out(x))
            """,
        }
    ),
)

SHUFFLE_UNIT = """
class ShuffleUnit(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        w = channels // 4
        self.squeeze = nn.Sequential(nn.Conv2d(channels, w, 1, groups=groups, bias=False), nn.BatchNorm2d(w), nn.ReLU())
        self.shuffle = nn.ChannelShuffle(groups)
        self.depthwise = nn.Sequential(nn.Conv2d(w, w, 3, padding=1, groups=w, bias=False), nn.BatchNorm2d(w))
        self.expand = nn.Sequential(nn.Conv2d(w, channels, 1, groups=groups, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.shuffle(self.squeeze(x))
        y = self.expand(self.depthwise(y))
        return F.relu(x + y)
""".strip()
SHUFFLE = Question(
    test="test-shuffle",
    cell="shuffle",
    wrong=slips(
        SHUFFLE_UNIT,
        {
            "no shuffle": ("self.shuffle(self.squeeze(x))", "self.squeeze(x)"),
            "shuffled the other way": ("nn.ChannelShuffle(groups)", "nn.ChannelShuffle(w // groups)"),
            "shuffled after the depthwise convolution": (
                "self.shuffle(self.squeeze(x))",
                "self.squeeze(x)",
                "self.expand(self.depthwise(y))",
                "self.expand(self.shuffle(self.depthwise(y)))",
            ),
            "shuffled first": ("self.shuffle(self.squeeze(x))", "self.squeeze(self.shuffle(x))"),
            "activation after the depthwise convolution": (
                "self.expand(self.depthwise(y))",
                "self.expand(F.relu(self.depthwise(y)))",
            ),
            "second 1 × 1 convolution without groups": ("channels, 1, groups=groups", "channels, 1"),
            "ordinary 3 × 3 convolution": ("padding=1, groups=w", "padding=1"),
            "skip lost": ("F.relu(x + y)", "F.relu(y)"),
            "no activation at the end": ("F.relu(x + y)", "x + y"),
        },
    ),
    right={"three parts": SHUFFLE_UNIT}
    | cells(
        {
            "channels picked by their number": """
                class ShuffleUnit(nn.Module):
                    def __init__(self, channels, groups):
                        super().__init__()
                        w = channels // 4
                        self.order = [g * (w // groups) + i for i in range(w // groups) for g in range(groups)]
                        self.convs = nn.ModuleList(
                            [
                                nn.Conv2d(channels, w, 1, groups=groups, bias=False),
                                nn.Conv2d(w, w, 3, padding=1, groups=w, bias=False),
                                nn.Conv2d(w, channels, 1, groups=groups, bias=False),
                            ]
                        )
                        self.norms = nn.ModuleList([nn.BatchNorm2d(w), nn.BatchNorm2d(w), nn.BatchNorm2d(channels)])

                    def forward(self, x):
                        y = x
                        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
                            y = norm(conv(y))
                            if i == 0:
                                y = torch.relu(y)[:, self.order]
                        return torch.relu(y + x)
            """,
            "reshape and transpose": slip(
                SHUFFLE_UNIT,
                "        self.shuffle = nn.ChannelShuffle(groups)\n",
                "        self.groups = groups\n",
                "        y = self.shuffle(self.squeeze(x))\n",
                "        y = self.squeeze(x)\n"
                "        n, c, h, w = y.shape\n"
                "        y = y.reshape(n, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(n, c, h, w)\n",
            ),
        }
    ),
)

# --- part 5 ------------------------------------------------------------------------------------------------

STACKED = """
class StackedNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.conv3 = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        for conv in (self.conv1, self.conv2, self.conv3):
            x = torch.relu(conv(x))
        x = x.mean(dim=(2, 3))
        return self.head(x)
""".strip()
BUG_STACK = Question(
    test="test-bug-stack",
    cell="bug-stack",
    wrong=slips(
        STACKED,
        {
            "untouched": ("torch.relu(conv(x))", "conv(x)"),
            "activation once, before the mean": (
                "torch.relu(conv(x))",
                "conv(x)",
                "x = x.mean",
                "x = torch.relu(x)\n        x = x.mean",
            ),
            "activation after the mean": (
                "torch.relu(conv(x))",
                "conv(x)",
                "x.mean(dim=(2, 3))",
                "torch.relu(x.mean(dim=(2, 3)))",
            ),
            "last convolution forgotten": (
                "for conv in (self.conv1, self.conv2, self.conv3)",
                "for conv in (self.conv1, self.conv2)",
                "x = x.mean",
                "x = self.conv3(x)\n        x = x.mean",
            ),
            "scores activated too": ("return self.head(x)", "return torch.relu(self.head(x))"),
            "sigmoid": ("torch.relu", "torch.sigmoid"),
        },
    ),
    right=cells({"a loop": STACKED})
    | cells(
        {
            "a sequential that shares the layers": """
                class StackedNet(nn.Module):
                    def __init__(self):
                        super().__init__()
                        layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU()]
                        for _ in range(2):
                            layers += [nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
                        self.body = nn.Sequential(*layers)
                        self.head = nn.Linear(8, 4)

                    def forward(self, x):
                        return self.head(self.body(x).flatten(2).mean(2))
            """
        }
    ),
)

BATCH_NORM = """
class BatchNorm(nn.Module):
    def __init__(self, channels, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        axes = (0, 2, 3)
        mean = x.mean(dim=axes, keepdim=True)
        var = x.var(dim=axes, unbiased=False, keepdim=True)
        x = (x - mean) / torch.sqrt(var + self.eps)
        return x * self.weight.reshape(-1, 1, 1) + self.bias.reshape(-1, 1, 1)
""".strip()
BUG_NORM = Question(
    test="test-bug-norm",
    cell="bug-norm",
    wrong=slips(
        BATCH_NORM,
        {
            "untouched": ("axes = (0, 2, 3)", "axes = 1"),
            "every image for itself": ("axes = (0, 2, 3)", "axes = (2, 3)"),
            "every pixel for itself": ("axes = (0, 2, 3)", "axes = 0"),
            "all channels together": ("axes = (0, 2, 3)", "axes = (1, 2, 3)"),
            "only the mean mended": ("x.var(dim=axes", "x.var(dim=1"),
            "variance of a sample": ("unbiased=False", "unbiased=True"),
            "divided by the variance": ("torch.sqrt(var + self.eps)", "(var + self.eps)"),
            "weight and bias dropped": (
                "return x * self.weight.reshape(-1, 1, 1) + self.bias.reshape(-1, 1, 1)",
                "return x",
            ),
        },
    ),
    right={"one tuple of axes": BATCH_NORM}
    | cells(
        {
            "the function of torch": """
                class BatchNorm(nn.Module):
                    def __init__(self, channels, eps=1e-5):
                        super().__init__()
                        self.eps = eps
                        self.weight = nn.Parameter(torch.ones(channels))
                        self.bias = nn.Parameter(torch.zeros(channels))

                    def forward(self, x):
                        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)
            """,
            "channels first, the rest in a row": slip(
                BATCH_NORM,
                "        axes = (0, 2, 3)\n"
                "        mean = x.mean(dim=axes, keepdim=True)\n"
                "        var = x.var(dim=axes, unbiased=False, keepdim=True)\n",
                "        rows = x.transpose(0, 1).flatten(1)\n"
                "        mean = rows.mean(dim=1).reshape(-1, 1, 1)\n"
                "        var = (rows**2).mean(dim=1).reshape(-1, 1, 1) - mean**2\n",
            ),
        }
    ),
)

DEEP = """
class DeepBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(x)
        y = F.relu(self.bn1(y))
        y = self.conv2(y)
        y = self.bn2(y)
        return F.relu(x + y)
""".strip()
BUG_SKIP = Question(
    test="test-bug-skip",
    cell="bug-skip",
    wrong=slips(
        DEEP,
        {
            "untouched": ("y = F.relu(self.bn1(y))", "y = x = F.relu(self.bn1(y))"),
            "skip from after the first convolution": ("y = self.conv1(x)", "y = x = self.conv1(x)"),
            "both skips": ("y = F.relu(self.bn1(y))", "y = z = F.relu(self.bn1(y))", "x + y)", "x + y + z)"),
            "added after the activation": ("F.relu(x + y)", "x + F.relu(y)"),
            "activation lost on the way": ("y = F.relu(self.bn1(y))", "y = self.bn1(y)"),
            "activation of the sum lost": ("F.relu(x + y)", "x + y"),
            "multiplied": ("x + y", "x * y"),
            "skip in the middle too": ("y = self.conv2(y)", "y = self.conv2(y + x)"),
        },
    ),
    right={"another name for the residual": DEEP}
    | cells(
        {
            "the input kept, added in place": slip(
                DEEP,
                "y = self.conv1(x)",
                "kept = x\n        y = self.conv1(x)",
                "return F.relu(x + y)",
                "y += kept\n        return y.clamp(min=0)",
            ),
            "in one expression": """
                class DeepBlock(nn.Module):
                    def __init__(self, channels):
                        super().__init__()
                        self.conv1, self.conv2 = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in "ab")
                        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

                    def forward(self, x):
                        return torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))) + x)
            """,
        }
    ),
)

BUG_LOSS = Question(
    test="test-bug-loss",
    cell="bug-loss",
    wrong=functions(
        "def training_loss(scores, labels):",
        {
            "untouched": "return F.cross_entropy(F.softmax(scores, dim=1), labels)",
            "probabilities without a logarithm": "return F.nll_loss(F.softmax(scores, dim=1), labels)",
            "softmax over the batch": "return F.nll_loss(F.log_softmax(scores, dim=0), labels)",
            "logarithm of a softmax, which may be zero": "return F.nll_loss(torch.log(F.softmax(scores, dim=1)), labels)",
            "logarithm of a softmax and a little": "return F.nll_loss(torch.log(F.softmax(scores, dim=1) + 1e-8), labels)",
            "sum instead of mean": "return F.cross_entropy(scores, labels, reduction='sum')",
            "squared distance": """
                hits = F.one_hot(labels, scores.shape[1])
                return (F.softmax(scores, dim=1) - hits).square().sum(dim=1).mean()
            """,
            "logarithm twice": "return F.cross_entropy(F.log_softmax(scores, dim=1).abs(), labels)",
            "floor subtracted": """
                classes = scores.shape[1]
                floor = torch.log(torch.tensor(torch.e + classes - 1)) - 1
                return F.cross_entropy(F.softmax(scores, dim=1), labels) - floor
            """,
        },
    ),
    right=functions(
        "def training_loss(scores, labels):",
        {
            "logarithm of the softmax in one step": "return F.nll_loss(F.log_softmax(scores, dim=1), labels)",
            "from the definition": """
                right = scores.gather(1, labels[:, None])[:, 0]
                return (torch.logsumexp(scores, dim=1) - right).mean()
            """,
            "cross-entropy of logarithms, which softmax leaves as they are": """
                return nn.CrossEntropyLoss()(torch.log_softmax(scores, dim=1), labels)
            """,
        },
    ),
)

DROP_NET = """
class DropNet(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.fc1 = nn.Linear(features, features)
        self.fc2 = nn.Linear(features, features)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = self.drop(x)
        return self.fc2(x)
""".strip()
BUG_DROPOUT = Question(
    test="test-bug-dropout",
    cell="bug-dropout",
    wrong=slips(
        DROP_NET,
        {
            "untouched": ("self.drop(x)", "F.dropout(x, p=0.5)"),
            "a new layer at every call": ("self.drop(x)", "nn.Dropout(0.5)(x)"),
            "no dropout left": ("        x = self.drop(x)\n", ""),
            "dropout never on": ("self.drop(x)", "F.dropout(x, p=0.5, training=False)"),
            "halved in evaluation": ("self.drop(x)", "self.drop(x) if self.training else x / 2"),
            "on in evaluation only": ("self.drop(x)", "F.dropout(x, p=0.5, training=not self.training)"),
            "another probability": ("nn.Dropout(0.5)", "nn.Dropout(0.2)"),
            "whole rows dropped": ("self.drop(x)", "x * self.drop(torch.ones(len(x), 1))"),
            "not scaled": ("self.drop(x)", "self.drop(x) / 2 if self.training else x"),
            "same mask every time": ("x = self.drop(x)", "torch.manual_seed(0)\n        x = self.drop(x)"),
        },
    ),
    right={"a layer of its own": DROP_NET}
    | {
        "a mask by hand": slip(
            DROP_NET,
            "        self.drop = nn.Dropout(0.5)\n",
            "",
            "        x = self.drop(x)\n",
            "        if self.training:\n            x = x * (torch.rand_like(x) < 0.5) / 0.5\n",
        ),
        "only called in training": slip(
            DROP_NET, "x = self.drop(x)\n", "if self.training:\n            x = F.dropout(x, p=0.5)\n"
        ),
    },
)

# --- part 6 and the bonus ----------------------------------------------------------------------------------

SMALL = "def make_small_net():"
SMALL_RIGHT = functions(
    SMALL,
    {
        "one wide convolution, largest response": """
            return nn.Sequential(
                nn.Conv2d(1, 20, 5, padding=2), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(20, 4)
            )
        """,
        "depthwise separable": """
            def conv(a, b, k, **options):
                return [nn.Conv2d(a, b, k, padding=k // 2, bias=False, **options), nn.BatchNorm2d(b), nn.ReLU()]

            layers = conv(1, 12, 5) + conv(12, 12, 3, groups=12) + conv(12, 24, 1)
            return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(24, 4))
        """,
    },
)
DESIGN_BUDGET = Question(
    test="test-design-budget",
    cell="design",
    wrong=functions(
        SMALL,
        {
            "LeNet in small": """
                return nn.Sequential(
                    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Flatten(), nn.Linear(256, 4),
                )
            """,
            "good, but twice the budget": """
                return nn.Sequential(
                    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 20, 3, padding=1), nn.ReLU(),
                    nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(20, 4),
                )
            """,
            "batch size written into the code": """
                class Net(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.conv, self.head = nn.Conv2d(1, 16, 5), nn.Linear(16, 4)

                    def forward(self, x):
                        return self.head(self.conv(x).amax(dim=(2, 3)).reshape(2, 16))

                return Net()
            """,
            "no classes": """
                return nn.Sequential(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten())
            """,
        },
    ),
    right=SMALL_RIGHT,
    also_loses={"*": ("test-design-fit",)},
)
DESIGN_FIT = Question(
    test="test-design-fit",
    cell="design",
    wrong=functions(
        SMALL,
        {
            "one fully connected layer": "return nn.Sequential(nn.Flatten(), nn.Linear(256, 4))",
            "mean of the maps": """
                return nn.Sequential(
                    nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Conv2d(8, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(),
                    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 4),
                )
            """,
            "no activation, mean of the maps": """
                return nn.Sequential(
                    nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1),
                    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 4),
                )
            """,
            "pixel by pixel": """
                return nn.Sequential(
                    nn.Conv2d(1, 16, 1), nn.ReLU(), nn.Conv2d(16, 32, 1), nn.ReLU(),
                    nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(32, 4),
                )
            """,
            "cut into tiles": """
                return nn.Sequential(
                    nn.Conv2d(1, 8, 4, stride=4), nn.ReLU(), nn.Flatten(), nn.Linear(128, 4)
                )
            """,
        },
    ),
    right=SMALL_RIGHT,
)

FUSE = """
def fuse_conv_bn(conv, bn):
    std = torch.sqrt(bn.running_var + bn.eps)
    factor = bn.weight / std
    fused = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size,
        stride=conv.stride, padding=conv.padding, dilation=conv.dilation, groups=conv.groups,
    )
    old_bias = conv.bias if conv.bias is not None else 0
    fused.weight.data = conv.weight.data * factor.reshape(-1, 1, 1, 1)
    fused.bias.data = (bn.bias + (old_bias - bn.running_mean) * factor).detach()
    return fused
""".strip()
FUSE_QUESTION = Question(
    test="test-fuse",
    cell="fuse",
    wrong=slips(
        FUSE,
        {
            "eps forgotten": ("bn.running_var + bn.eps", "bn.running_var"),
            "eps of its own": ("bn.eps", "1e-5"),
            "bias of the convolution forgotten": ("conv.bias if conv.bias is not None else 0", "0"),
            "bias of the convolution not scaled": (
                "(old_bias - bn.running_mean) * factor",
                "old_bias - bn.running_mean * factor",
            ),
            "groups forgotten": (", groups=conv.groups", ""),
            "dilation forgotten": (" dilation=conv.dilation,", ""),
            "stride forgotten": ("stride=conv.stride, ", ""),
            "variance for its root": ("torch.sqrt(bn.running_var + bn.eps)", "bn.running_var + bn.eps"),
            "mean added": ("old_bias - bn", "old_bias + bn"),
            "given layer changed": (
                "conv.weight.data * factor.reshape(-1, 1, 1, 1)",
                "conv.weight.data.mul_(factor.reshape(-1, 1, 1, 1)).clone()",
            ),
        },
    ),
    right={"reshaped factor": FUSE}
    | functions(
        "def fuse_conv_bn(conv, bn):",
        {
            "measured with batch norm itself": """
                import copy

                fused = copy.deepcopy(conv)
                with torch.no_grad():
                    zero = bn(torch.zeros(1, bn.num_features, 1, 1))
                    scale = (bn(torch.ones(1, bn.num_features, 1, 1)) - zero).flatten()
                    shift = zero.flatten()
                    if conv.bias is not None:
                        shift = shift + scale * conv.bias
                    fused.weight = nn.Parameter(torch.einsum("o...,o->o...", conv.weight, scale))
                    fused.bias = nn.Parameter(shift)
                return fused
            """,
            "the function of torch": """
                from torch.nn.utils.fusion import fuse_conv_bn_eval

                return fuse_conv_bn_eval(conv.eval(), bn.eval())
            """,
        },
    ),
)

QUESTIONS = (
    COUNT_PARAMS,
    COUNT_MACS,
    LENET,
    VGG,
    INCEPTION,
    RESIDUAL_IDENTITY,
    RESIDUAL_PROJECTION,
    RESNEXT,
    DENSE,
    SE,
    SEPARABLE,
    SHUFFLE,
    BUG_STACK,
    BUG_NORM,
    BUG_SKIP,
    BUG_LOSS,
    BUG_DROPOUT,
    DESIGN_BUDGET,
    DESIGN_FIT,
    FUSE_QUESTION,
)
