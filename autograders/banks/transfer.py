"""Known-wrong and different-right answers to the assignment ``transfer``."""

from __future__ import annotations

from autograders.banks import Question, choice, functions, slips

# --- part 1 ------------------------------------------------------------------------------------------------

FREEZE_HEAD = Question(
    test="test-freeze-head",
    cell="freeze-head",
    wrong=functions(
        "def freeze_except(net, head):",
        {
            "names that begin alike": """
                for name, value in net.named_parameters():
                    value.requires_grad = name.startswith(head)
                return sum(value.numel() for value in net.parameters() if value.requires_grad)
            """,
            "an attribute of the layer": """
                for layer in net.children():
                    layer.requires_grad = False
                net.get_submodule(head).requires_grad = True
                return sum(value.numel() for value in net.get_submodule(head).parameters())
            """,
            "a frozen head stays frozen": """
                own = list(net.get_submodule(head).parameters())
                for value in net.parameters():
                    if not any(value is mine for mine in own):
                        value.requires_grad = False
                return sum(value.numel() for value in net.parameters() if value.requires_grad)
            """,
        },
    ),
    right=functions(
        "def freeze_except(net, head):",
        {
            "by the module's own method": """
                net.requires_grad_(False)
                part = net.get_submodule(head).requires_grad_(True)
                return sum(value.numel() for value in part.parameters())
            """,
            "by full names": """
                count = 0
                for name, value in net.named_parameters():
                    value.requires_grad = name.startswith(head + ".")
                    if value.requires_grad:
                        count += value.numel()
                return count
            """,
        },
    ),
)


FREEZE_UNTIL = Question(
    test="test-freeze-until",
    cell="freeze-until",
    wrong=functions(
        "def freeze_until(net, layer):",
        {
            "an unknown name freezes all": """
                learning = False
                for name, module in net.named_modules():
                    learning = learning or name == layer
                    for value in module.parameters(recurse=False):
                        value.requires_grad = learning
                return sum(value.numel() for value in net.parameters() if value.requires_grad)
            """,
            "boundary at the first parameter of that name": """
                if layer not in [name for name, _ in net.named_modules()]:
                    raise ValueError(layer)
                learning = False
                for name, value in net.named_parameters():
                    learning = learning or name.startswith(layer + ".")
                    value.requires_grad = learning
                return sum(value.numel() for value in net.parameters() if value.requires_grad)
            """,
            "never thawed": """
                if layer not in [name for name, _ in net.named_modules()]:
                    raise ValueError(layer)
                for name, module in net.named_modules():
                    if name == layer:
                        break
                    for value in module.parameters(recurse=False):
                        value.requires_grad = False
                return sum(value.numel() for value in net.parameters() if value.requires_grad)
            """,
            "names compared as text": """
                if layer not in [name for name, _ in net.named_modules()]:
                    raise ValueError(layer)
                for name, value in net.named_parameters():
                    value.requires_grad = name >= layer
                return sum(value.numel() for value in net.parameters() if value.requires_grad)
            """,
        },
    ),
    right=functions(
        "def freeze_until(net, layer):",
        {
            "by place among the modules": """
                names = [name for name, _ in net.named_modules()]
                if layer not in names:
                    raise ValueError(f"no layer {layer}")
                after = set(names[names.index(layer):])
                for name, value in net.named_parameters():
                    value.requires_grad = name.rpartition(".")[0] in after
                return sum(value.numel() for value in net.parameters() if value.requires_grad)
            """,
            "all thawed, then frozen up to the boundary": """
                net.requires_grad_(True)
                for name, module in net.named_modules():
                    if name == layer:
                        return sum(value.numel() for value in net.parameters() if value.requires_grad)
                    for value in module.parameters(recurse=False):
                        value.requires_grad_(False)
                raise ValueError(layer)
            """,
        },
    ),
)

# --- part 2 ------------------------------------------------------------------------------------------------

HEAD_TEXT = """
def replace_head(net, num_classes):
    if hasattr(net, "fc"):
        parent, place = net, "fc"
    elif isinstance(net.classifier, nn.Sequential):
        parent = net.classifier
        place = max(k for k, layer in enumerate(parent) if isinstance(layer, (nn.Linear, nn.Conv2d)))
    else:
        parent, place = net, "classifier"
    old = parent[place] if isinstance(place, int) else getattr(parent, place)
    bias = old.bias is not None
    if isinstance(old, nn.Conv2d):
        new = nn.Conv2d(old.in_channels, num_classes, 1, bias=bias)
    else:
        new = nn.Linear(old.in_features, num_classes, bias=bias)
    new = new.to(old.weight.dtype)
    if isinstance(place, int):
        parent[place] = new
    else:
        setattr(parent, place, new)
    return net
""".strip()

HEAD_RIGHT = {
    "by its place in the sequence": HEAD_TEXT,
    "an old head copied and made new": """
def replace_head(net, num_classes):
    name = "fc" if hasattr(net, "fc") else "classifier"
    inside = [n for n, m in net.named_modules() if n.split(".")[0] == name and hasattr(m, "weight")]
    name = inside[-1]
    old = net.get_submodule(name)
    new = copy.deepcopy(old)
    shape = (num_classes, *old.weight.shape[1:])
    new.weight = nn.Parameter(torch.randn(shape, dtype=old.weight.dtype) / shape[1] ** 0.5)
    if old.bias is not None:
        new.bias = nn.Parameter(torch.zeros(num_classes, dtype=old.weight.dtype))
    if isinstance(new, nn.Linear):
        new.out_features = num_classes
    else:
        new.out_channels = num_classes
    parent, _, last = name.rpartition(".")
    setattr(net.get_submodule(parent), last, new)
    return net
""".strip(),
}

HEAD = Question(
    test="test-head",
    cell="head",
    wrong=slips(
        HEAD_TEXT,
        {
            "always with a bias": ("bias = old.bias is not None", "bias = True"),
            "single precision": ("new = new.to(old.weight.dtype)", "new = new.float()"),
            "the new head frozen with the rest": (
                "    return net",
                "    new.requires_grad_(old.weight.requires_grad)\n    return net",
            ),
        },
    ),
    right=HEAD_RIGHT,
    also_loses={"always with a bias": (), "*": ("test-head-conv",)},
)

HEAD_CONV = Question(
    test="test-head-conv",
    cell="head",
    wrong=slips(
        HEAD_TEXT,
        {
            "the whole classifier replaced": (
                "    if isinstance(place, int):\n        parent[place] = new",
                "    if isinstance(old, nn.Conv2d):\n"
                "        net.classifier = nn.Sequential(new, nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
                "    elif isinstance(place, int):\n        parent[place] = new",
            ),
            "a linear layer in every head": (
                "new = nn.Conv2d(old.in_channels, num_classes, 1, bias=bias)",
                "new = nn.Linear(old.in_channels, num_classes, bias=bias)",
            ),
            "no bias in the convolution": ("num_classes, 1, bias=bias)", "num_classes, 1, bias=False)"),
        },
    ),
    right=HEAD_RIGHT,
)

# --- part 3 ------------------------------------------------------------------------------------------------

FEATURES_TEXT = """
def extract_features(backbone, batches):
    modes = {layer: layer.training for layer in backbone.modules()}
    backbone.eval()
    features, labels = [], []
    with torch.inference_mode(False), torch.no_grad():
        for x, y in batches:
            features.append(backbone(x))
            labels.append(y)
    for layer in modes:
        layer.training = modes[layer]
    return torch.cat(features), torch.cat(labels)
""".strip()

FEATURES_RIGHT = {
    "by a copy in eval mode": """
@torch.no_grad()
def extract_features(backbone, batches):
    frozen = copy.deepcopy(backbone).eval()
    parts = [(frozen(x), y) for x, y in batches]
    features, labels = zip(*parts)
    return torch.cat(features), torch.cat(labels)
""".strip(),
    "picture by picture": """
def extract_features(backbone, batches):
    modes = [layer.training for layer in backbone.modules()]
    features, labels = [], []
    try:
        backbone.train(False)
        with torch.no_grad():
            for x, y in batches:
                features += [backbone(picture[None])[0] for picture in x]
                labels += y.tolist()
    finally:
        for layer, mode in zip(backbone.modules(), modes):
            layer.training = mode
    return torch.stack(features), torch.tensor(labels)
""".strip(),
}

FEATURES = Question(
    test="test-features",
    cell="features",
    wrong=slips(
        FEATURES_TEXT,
        {
            "left in training mode": ("    backbone.eval()\n", ""),
            "short batch dropped": (
                "            features.append(backbone(x))",
                "            if features and len(x) < len(labels[0]):\n                continue\n"
                "            features.append(backbone(x))",
            ),
            "batch norm alone in eval mode": (
                "    backbone.eval()\n",
                "    for layer in modes:\n        layer.training = not isinstance(layer, nn.BatchNorm2d)\n",
            ),
        },
    ),
    right=FEATURES_RIGHT,
    also_loses={"left in training mode": ("test-traces",), "short batch dropped": ("test-traces",)},
)

TRACES = Question(
    test="test-traces",
    cell="features",
    wrong=slips(
        FEATURES_TEXT,
        {
            "detached afterwards": (
                "torch.inference_mode(False), torch.no_grad()",
                "torch.enable_grad()",
                "backbone(x))",
                "backbone(x).detach())",
            ),
            "all set to the mode of the whole": (
                "    for layer in modes:\n        layer.training = modes[layer]\n",
                "    backbone.train(modes[backbone])\n",
            ),
            "gradients switched off for good": (
                "    with torch.inference_mode(False), torch.no_grad():",
                "    torch.set_grad_enabled(False)\n    if True:",
            ),
        },
    ),
    right=FEATURES_RIGHT,
)

# --- part 4 ------------------------------------------------------------------------------------------------

GROUPS = Question(
    test="test-groups",
    cell="groups",
    wrong=functions(
        "def parameter_groups(net, head, backbone_lr, head_lr):",
        {
            "names that begin alike": """
                learning = [(n, p) for n, p in net.named_parameters() if p.requires_grad]
                return [
                    {"params": [p for n, p in learning if n.startswith(head)], "lr": head_lr},
                    {"params": [p for n, p in learning if not n.startswith(head)], "lr": backbone_lr},
                ]
            """,
            "frozen ones go along": """
                own = list(net.get_submodule(head).parameters())
                ids = set(map(id, own))
                return [
                    {"params": [p for p in net.parameters() if id(p) not in ids], "lr": backbone_lr},
                    {"params": own, "lr": head_lr},
                ]
            """,
            "a shared layer twice": """
                ids = {id(p) for p in net.get_submodule(head).parameters()}
                groups = []
                for layer in net._modules.values():
                    for p in layer.parameters():
                        if p.requires_grad:
                            groups.append({"params": [p], "lr": head_lr if id(p) in ids else backbone_lr})
                return groups
            """,
            "head in both groups": """
                learning = [p for p in net.parameters() if p.requires_grad]
                own = [p for p in net.get_submodule(head).parameters() if p.requires_grad]
                return [{"params": learning, "lr": backbone_lr}, {"params": own, "lr": head_lr}]
            """,
        },
    ),
    right=functions(
        "def parameter_groups(net, head, backbone_lr, head_lr):",
        {
            "a group for each parameter": """
                groups = []
                for name, value in net.named_parameters():
                    if value.requires_grad:
                        inside = (name + ".").startswith(head + ".")
                        groups.append({"params": [value], "lr": head_lr if inside else backbone_lr})
                return groups
            """,
            "by generators": """
                own = set(net.get_submodule(head).parameters())
                return [
                    {"params": (p for p in net.parameters() if p.requires_grad and p not in own), "lr": backbone_lr},
                    {"params": (p for p in own if p.requires_grad), "lr": head_lr},
                ]
            """,
        },
    ),
)

# --- part 5 ------------------------------------------------------------------------------------------------

TUNE_TEXT = """
def fine_tune(net, images, labels, num_classes, budget):
    tuned = copy.deepcopy(net)
    tuned.fc = nn.Linear(tuned.fc.in_features, num_classes)
    own = list(tuned.fc.parameters())
    rest = [p for name, p in tuned.named_parameters() if not name.startswith("fc.")]
    rates = {"head": 0.1, "rest": 0.005}
    groups = [{"params": rest, "lr": rates["rest"]}, {"params": own, "lr": rates["head"]}]
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    tuned.train()
    left = budget
    while left > 0:
        chosen = torch.randperm(len(images))[: min(16, left)]
        if len(chosen) < 2:
            break
        optimizer.zero_grad()
        F.cross_entropy(tuned(images[chosen]), labels[chosen]).backward()
        optimizer.step()
        left -= len(chosen)
    return tuned
""".strip()

FROZEN_TEXT = """
def fine_tune(net, images, labels, num_classes, budget):
    tuned = copy.deepcopy(net).eval()
    tuned.requires_grad_(False)
    tuned.fc = nn.Linear(tuned.fc.in_features, num_classes)
    optimizer = torch.optim.SGD(tuned.fc.parameters(), lr=0.05, momentum=0.9)
    size = min(10, len(images), budget)
    for _ in range(budget // size):
        chosen = torch.randint(len(images), (size,))
        optimizer.zero_grad()
        F.cross_entropy(tuned(images[chosen]), labels[chosen]).backward()
        optimizer.step()
    return tuned
""".strip()

ONCE_TEXT = """
def fine_tune(net, images, labels, num_classes, budget):
    tuned = copy.deepcopy(net).eval()
    images, labels = images[:budget], labels[:budget]
    tuned.fc = nn.Identity()
    with torch.no_grad():
        features = tuned(images)
    tuned.fc = nn.Linear(features.shape[1], num_classes)
    optimizer = torch.optim.AdamW(tuned.fc.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        F.cross_entropy(tuned.fc(features), labels).backward()
        optimizer.step()
    return tuned
""".strip()

TUNE_RIGHT = {
    "head alone, backbone in eval mode": FROZEN_TEXT,
    "features once, then the head": ONCE_TEXT,
}

TUNE = Question(
    test="test-tune",
    cell="tune",
    wrong=slips(
        TUNE_TEXT,
        {
            "the given network trained": ("copy.deepcopy(net)", "net"),
            "statistics of the given network move": (
                "    left = budget\n",
                "    left = budget // 2\n    net.train()(images[: budget // 2])\n",
            ),
            "the last batch too many": ("[: min(16, left)]", "[:16]"),
        },
    ),
    right=TUNE_RIGHT,
    also_loses={"the last batch too many": ("test-tune-learn",)},
)

SCRATCH = "    for layer in tuned.modules():\n        if hasattr(layer, 'reset_parameters'):\n            layer.reset_parameters()\n"

LEARN = Question(
    test="test-tune-learn",
    cell="tune",
    wrong=slips(
        TUNE_TEXT,
        {
            "from scratch": (
                "    own = list",
                SCRATCH + "    own = list",
                '"rest": 0.005',
                '"rest": 0.02',
                '"head": 0.1',
                '"head": 0.02',
            ),
            "large rate for all layers": ('{"head": 0.1, "rest": 0.005}', '{"head": 1.0, "rest": 1.0}'),
            "pictures and labels apart": (
                "labels[chosen])",
                "labels[torch.randperm(len(labels))[: len(chosen)]])",
            ),
        },
    ),
    right=TUNE_RIGHT,
)

# --- part 6 ------------------------------------------------------------------------------------------------

PLANS = (
    choice(
        "plan-few",
        right="②",
        wrong={"①": "all layers on a hundred pictures", "③": "deeper, from scratch", "④": "head kept"},
    ),
    choice(
        "plan-stuck",
        right="④",
        wrong={"①": "regularised while underfitting", "②": "larger rate", "③": "another start"},
    ),
    choice(
        "plan-keep",
        right="①",
        wrong={"②": "old head on moved features", "③": "old head thrown away", "④": "statistics move"},
    ),
    choice(
        "plan-hurts",
        right="③",
        wrong={"①": "seeds picked", "②": "frozen features that do not fit", "④": "hardly any learning"},
    ),
)

# --- bonus -------------------------------------------------------------------------------------------------

DECAY_TEXT = """
def decay_groups(net, head, backbone_lr, head_lr, weight_decay):
    ids = {id(p) for p in net.get_submodule(head).parameters()}
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
    still = {id(p) for m in net.modules() if isinstance(m, norms) for p in m.parameters()}
    still |= {id(p) for n, p in net.named_parameters() if n.endswith("bias")}
    return [
        {
            "params": [p],
            "lr": head_lr if id(p) in ids else backbone_lr,
            "weight_decay": 0.0 if id(p) in still else weight_decay,
        }
        for p in net.parameters()
        if p.requires_grad
    ]
""".strip()

DECAY = Question(
    test="test-decay",
    cell="decay",
    wrong=slips(
        DECAY_TEXT,
        {
            "norms known by their names": (
                "    still = {id(p) for m in net.modules() if isinstance(m, norms) for p in m.parameters()}\n",
                "    still = set()\n",
                'if n.endswith("bias")}',
                'if n.endswith("bias") or "bn" in n or "norm" in n}',
            ),
            "batch norm alone": (", nn.GroupNorm, nn.LayerNorm)", ")"),
            "biases decay": (
                '    still |= {id(p) for n, p in net.named_parameters() if n.endswith("bias")}\n',
                "",
            ),
            "frozen ones decay": (
                "        if p.requires_grad\n",
                "",
                "    return [",
                "    net.requires_grad_(True)\n    return [",
            ),
        },
    ),
    right=functions(
        "def decay_groups(net, head, backbone_lr, head_lr, weight_decay):",
        {
            "four groups": """
                own = {id(p) for p in net.get_submodule(head).parameters()}
                groups = []
                for inside, rate in ((False, backbone_lr), (True, head_lr)):
                    part = [p for p in net.parameters() if p.requires_grad and (id(p) in own) == inside]
                    groups.append({"params": [p for p in part if p.ndim > 1], "lr": rate, "weight_decay": weight_decay})
                    groups.append({"params": [p for p in part if p.ndim <= 1], "lr": rate, "weight_decay": 0})
                return groups
            """,
            "weights of convolutions and linear layers found by kind": """
                kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
                weights = {id(m.weight) for m in net.modules() if isinstance(m, kinds)}
                groups = []
                for name, p in net.named_parameters():
                    if not p.requires_grad:
                        continue
                    rate = head_lr if f"{name}.".startswith(f"{head}.") else backbone_lr
                    groups.append(dict(params=p, lr=rate, weight_decay=weight_decay * (id(p) in weights)))
                return groups
            """,
        },
    ),
)

QUESTIONS = (
    FREEZE_HEAD,
    FREEZE_UNTIL,
    HEAD,
    HEAD_CONV,
    FEATURES,
    TRACES,
    GROUPS,
    TUNE,
    LEARN,
    *PLANS,
    DECAY,
)
