"""Known-wrong and different-right answers to the assignment ``cifar10``."""

from __future__ import annotations

from textwrap import dedent, indent

from autograders.banks import Question, functions, slip, slips

STEP = "def train_step(net, x, y, optimizer):"

STEPS_RIGHT = functions(
    STEP,
    {
        "logarithm of the softmax by hand": """
            net.train()
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None
            chance = net(x).log_softmax(1)
            loss = -chance[torch.arange(len(y)), y].mean()
            loss.backward()
            optimizer.step()
            return float(loss)
        """,
        "zeroed right before the gradients are computed": """
            net.train(True)
            criterion = nn.CrossEntropyLoss()
            loss = criterion(net(x), y)
            optimizer.zero_grad(set_to_none=False)
            loss.backward()
            optimizer.step()
            return loss.detach().cpu().item()
        """,
        "gradients asked for, not accumulated": """
            net.train()
            parameters = [p for p in net.parameters() if p.requires_grad]
            loss = nn.functional.nll_loss(nn.functional.log_softmax(net(x), dim=1), y)
            for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
                parameter.grad = gradient
            optimizer.step()
            return loss.tolist()
        """,
    },
)

TRAINED_STEP = """
net.train()
optimizer.zero_grad()
loss = F.cross_entropy(net(x), y)
loss.backward()
optimizer.step()
return loss.item()
"""

STEPS = Question(
    test="test-step",
    cell="step",
    wrong=functions(
        STEP,
        slips(
            TRAINED_STEP,
            {
                "gradients never zeroed": ("optimizer.zero_grad()\n", ""),
                "gradients zeroed only afterwards": (
                    "optimizer.zero_grad()\n",
                    "",
                    "optimizer.step()",
                    "optimizer.step()\noptimizer.zero_grad()",
                ),
                "gradients zeroed before they are used": (
                    "optimizer.zero_grad()\n",
                    "",
                    "optimizer.step()",
                    "optimizer.zero_grad()\noptimizer.step()",
                ),
                "a tensor comes back": ("loss.item()", "loss"),
                "summed gradient, averaged loss": (
                    "net(x), y)",
                    'net(x), y, reduction="sum")',
                    "loss.item()",
                    "loss.item() / len(y)",
                ),
                "loss measured after the step": (
                    "loss = F.cross_entropy(net(x), y)\nloss.backward()",
                    "F.cross_entropy(net(x), y).backward()",
                    "loss.item()",
                    "F.cross_entropy(net(x), y).item()",
                ),
                "softmax before cross entropy": ("net(x)", "net(x).softmax(1)"),
                "a learning rate of its own": (
                    "optimizer.zero_grad()",
                    "net.zero_grad()",
                    "optimizer.step()",
                    "with torch.no_grad():\n"
                    "    for parameter in net.parameters():\n"
                    "        parameter -= 0.1 * parameter.grad",
                ),
                "no step": ("optimizer.step()\n", ""),
            },
        ),
    ),
    right=STEPS_RIGHT,
    also_loses={"loss measured after the step": ("test-step-mode",)},
)

STEP_MODE = Question(
    test="test-step-mode",
    cell="step",
    wrong=functions(
        STEP,
        slips(
            TRAINED_STEP,
            {
                "mode left as it came": ("net.train()\n", ""),
                "evaluation mode": ("net.train()", "net.eval()"),
                "training mode too late": (
                    "net.train()\n",
                    "",
                    "loss.backward()",
                    "net.train()\nloss.backward()",
                ),
                "outputs computed twice": (
                    "loss = F.cross_entropy(net(x), y)\nloss.backward()",
                    "value = F.cross_entropy(net(x), y).item()\nF.cross_entropy(net(x), y).backward()",
                    "loss.item()",
                    "value",
                ),
            },
        ),
    ),
    right=STEPS_RIGHT,
)

EPOCH = Question(
    test="test-epoch",
    cell="epoch",
    wrong=functions(
        "def train_one_epoch(net, batches, optimizer):",
        {
            "mean of the batches' means": """
                net.train()
                losses = []
                for x, y in batches:
                    optimizer.zero_grad()
                    loss = F.cross_entropy(net(x), y)
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item())
                return sum(losses) / len(losses)
            """,
            "every batch counted as long as the first": """
                net.train()
                total, number, size = 0.0, 0, None
                for x, y in batches:
                    size = size or len(y)
                    optimizer.zero_grad()
                    loss = F.cross_entropy(net(x), y)
                    loss.backward()
                    optimizer.step()
                    total += loss.item() * size
                    number += size
                return total / number
            """,
            "short batches left out": """
                net.train()
                total, number, size = 0.0, 0, 0
                for x, y in batches:
                    size = max(size, len(y))
                    if len(y) < size:
                        continue
                    optimizer.zero_grad()
                    loss = F.cross_entropy(net(x), y)
                    loss.backward()
                    optimizer.step()
                    total += loss.item() * len(y)
                    number += len(y)
                return total / number
            """,
            "one step for all batches": """
                net.train()
                optimizer.zero_grad()
                total, number = 0.0, 0
                for x, y in batches:
                    loss = F.cross_entropy(net(x), y)
                    loss.backward()
                    total += loss.item() * len(y)
                    number += len(y)
                optimizer.step()
                return total / number
            """,
            "loss of the last batch": """
                net.train()
                for x, y in batches:
                    optimizer.zero_grad()
                    loss = F.cross_entropy(net(x), y)
                    loss.backward()
                    optimizer.step()
                return loss.item()
            """,
            "total in place of the mean": """
                net.train()
                total = 0.0
                for x, y in batches:
                    optimizer.zero_grad()
                    loss = F.cross_entropy(net(x), y)
                    loss.backward()
                    optimizer.step()
                    total += loss.item() * len(y)
                return total
            """,
            "losses measured after training": """
                net.train()
                kept = list(batches)
                for x, y in kept:
                    optimizer.zero_grad()
                    F.cross_entropy(net(x), y).backward()
                    optimizer.step()
                with torch.no_grad():
                    total = sum(F.cross_entropy(net(x), y, reduction="sum").item() for x, y in kept)
                return total / sum(len(y) for _, y in kept)
            """,
        },
    ),
    right=functions(
        "def train_one_epoch(net, batches, optimizer):",
        {
            "sums of losses": """
                net.train()
                total, number = 0.0, 0
                for x, y in batches:
                    optimizer.zero_grad()
                    losses = F.cross_entropy(net(x), y, reduction="none")
                    losses.mean().backward()
                    optimizer.step()
                    total += losses.sum().item()
                    number += y.numel()
                return total / number
            """,
            "every picture's loss kept": """
                net.train()
                losses = []
                for x, y in batches:
                    each = -net(x).log_softmax(1).gather(1, y[:, None]).flatten()
                    optimizer.zero_grad()
                    each.mean().backward()
                    optimizer.step()
                    losses.append(each.detach())
                return torch.cat(losses).mean().item()
            """,
        },
    ),
)

EVALUATE = "def evaluate(net, batches):"


def evaluation(before: str = "", after: str = "", guard: str = "torch.no_grad()", result: str = "") -> str:
    """Write an evaluation with one thing changed."""
    return dedent("""
        {before}
        total, right, number = 0.0, 0, 0
        with {guard}:
            for x, y in batches:
                scores = net(x)
                total += F.cross_entropy(scores, y, reduction="sum").item()
                right += (scores.argmax(1) == y).sum().item()
                number += len(y)
        {after}
        return {result}
    """).format(before=before, after=after, guard=guard, result=result or "total / number, right / number")


EVALUATE_RIGHT = functions(
    EVALUATE,
    {
        "all outputs collected first": """
            was_training = net.training
            net.eval()
            with torch.inference_mode():
                pairs = [(net(x), y) for x, y in batches]
            if was_training:
                net.train()
            scores, labels = torch.cat([s for s, _ in pairs]), torch.cat([y for _, y in pairs])
            loss = F.cross_entropy(scores, labels)
            return float(loss), float((scores.max(1).indices == labels).float().mean())
        """,
        "means weighted by the sizes": """
            mode = net.training
            net.train(False)
            losses, hits, sizes = [], [], []
            torch.set_grad_enabled(False)
            for x, y in batches:
                scores = net(x)
                losses.append(F.cross_entropy(scores, y).item())
                hits.append(sum(int(s.argmax()) == int(label) for s, label in zip(scores, y)))
                sizes.append(y.shape[0])
            torch.set_grad_enabled(True)
            net.train(mode)
            return sum(a * b for a, b in zip(losses, sizes)) / sum(sizes), sum(hits) / sum(sizes)
        """,
    },
)

MODE, BACK = "training = net.training; net.eval()", "net.train(training)"

EVALUATE_VALUES = Question(
    test="test-evaluate",
    cell="evaluate",
    wrong=functions(
        EVALUATE,
        {
            "mean of the batches' means": """
                training = net.training
                net.eval()
                losses, accuracies = [], []
                with torch.no_grad():
                    for x, y in batches:
                        scores = net(x)
                        losses.append(F.cross_entropy(scores, y).item())
                        accuracies.append((scores.argmax(1) == y).float().mean().item())
                net.train(training)
                return sum(losses) / len(losses), sum(accuracies) / len(accuracies)
            """,
            "loss of the last batch": """
                training = net.training
                net.eval()
                right, number = 0, 0
                with torch.no_grad():
                    for x, y in batches:
                        scores = net(x)
                        loss = F.cross_entropy(scores, y).item()
                        right += (scores.argmax(1) == y).sum().item()
                        number += len(y)
                net.train(training)
                return loss, right / number
            """,
            "accuracy in per cent": evaluation(MODE, BACK, result="total / number, 100 * right / number"),
            "accuracy first": evaluation(MODE, BACK, result="right / number, total / number"),
            "tensors come back": evaluation(
                MODE, BACK, result="torch.tensor(total / number), torch.tensor(right / number)"
            ),
            "error rate": evaluation(MODE, BACK, result="total / number, 1 - right / number"),
            "mean loss divided once more": evaluation(MODE, BACK, result="total / number**2, right / number"),
        },
    ),
    right=EVALUATE_RIGHT,
)

EVALUATE_MODE = Question(
    test="test-evaluate-mode",
    cell="evaluate",
    wrong=functions(
        EVALUATE,
        {
            "mode left as it came": evaluation(),
            "left in evaluation mode": evaluation("net.eval()"),
            "always back to training mode": evaluation("net.eval()", "net.train()"),
            "graph built": evaluation(MODE, BACK, guard="torch.enable_grad()"),
            "training mode": evaluation("training = net.training; net.train()", BACK),
        },
    ),
    right=EVALUATE_RIGHT,
    also_loses={"mode left as it came": ("test-evaluate",), "training mode": ("test-evaluate",)},
)


def by_class(result: str, before: str = MODE, after: str = BACK) -> str:
    """Write an accuracy by class with one thing changed."""
    return dedent("""
        {before}
        right, number, answered = [0] * num_classes, [0] * num_classes, [0] * num_classes
        with torch.no_grad():
            for x, y in batches:
                for label, answer in zip(y.tolist(), net(x).argmax(1).tolist()):
                    number[label] += 1
                    answered[answer] += 1
                    right[label] += label == answer
        {after}
        return {result}
    """).format(before=before, after=after, result=result)


EACH = '[r / n if n else float("nan") for r, n in zip(right, number)]'
CLASSES = "def accuracy_by_class(net, batches, num_classes):"

BY_CLASS = Question(
    test="test-classes",
    cell="classes",
    wrong=functions(
        CLASSES,
        {
            "0 where there is no picture": by_class("[r / max(n, 1) for r, n in zip(right, number)]"),
            "share of the answers (precision)": by_class(
                '[r / n if n else float("nan") for r, n in zip(right, answered)]'
            ),
            "share of all pictures": by_class("[r / sum(number) for r in right]"),
            "classes without pictures left out": by_class("[r / n for r, n in zip(right, number) if n]"),
            "numbers of hits": by_class("right"),
            "mode left as it came": by_class(EACH, before="", after=""),
            "left in evaluation mode": by_class(EACH, before="net.eval()", after=""),
            "last batch alone": """
                training = net.training
                net.eval()
                with torch.no_grad():
                    for x, y in batches:
                        hits = net(x).argmax(1) == y
                net.train(training)
                return [hits[y == label].float().mean().item() for label in range(num_classes)]
            """,
            "mean of the batches' accuracies": """
                training = net.training
                net.eval()
                shares = [[] for _ in range(num_classes)]
                with torch.no_grad():
                    for x, y in batches:
                        hits = net(x).argmax(1) == y
                        for label in y.unique().tolist():
                            shares[label].append(hits[y == label].float().mean().item())
                net.train(training)
                return [sum(s) / len(s) if s else float("nan") for s in shares]
            """,
            "division by zero": by_class("[r / n for r, n in zip(right, number)]"),
        },
    ),
    right=functions(
        CLASSES,
        {
            "a table of labels and answers": """
                training = net.training
                net.eval()
                table = torch.zeros(num_classes, num_classes, dtype=torch.float64)
                with torch.no_grad():
                    for x, y in batches:
                        for label, answer in zip(y, net(x).argmax(1)):
                            table[label, answer] += 1
                net.train(training)
                return (table.diagonal() / table.sum(1)).tolist()
            """,
            "masks on everything at once": """
                mode = net.training
                net.train(False)
                with torch.inference_mode():
                    pairs = [(net(x).max(1)[1], y) for x, y in batches]
                net.train(mode)
                answers, labels = torch.cat([a for a, _ in pairs]), torch.cat([y for _, y in pairs])
                return [(answers[labels == c] == c).double().mean().item() for c in range(num_classes)]
            """,
            "counted with bincount": by_class(
                "[a / b if b > 0 else math.nan for a, b in zip(right, number)]",
                before="import math\n" + MODE.replace("; ", "\n"),
            ),
        },
    ),
)

CONV = """
    def __init__(self):
        super().__init__()
        layers, channels = [], 3
        for width in ({widths}):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
            channels = width
        self.layers = nn.Sequential(*layers[:-1], nn.AdaptiveMaxPool2d(1), nn.Flatten())
        self.head = nn.Linear(channels, 10)

    def forward(self, x):
        return self.head(self.layers(x))
"""
PLAIN = CONV.format(widths="16, 32, 64")

ADAM = """
size = 64
steps = images // size
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps)
net.train()
while steps:
    for x, y in batches(pictures, labels, size, shuffle=True):
        if steps == 0 or len(y) < size:
            break
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        steps -= 1
"""

DECK = """
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)
"""

DECK_RECIPE = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
net.train()
left = images
while True:
    for x, y in batches(pictures, labels, 4, shuffle=True):
        if left < len(y):
            return
        left -= len(y)
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
"""

RESIDUAL = """
    def __init__(self):
        super().__init__()

        def convolution(inputs, outputs):
            return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))

        self.first = convolution(3, 16)
        self.second = convolution(16, 32)
        self.third = convolution(32, 64)
        self.branch = convolution(64, 64)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        x = F.max_pool2d(F.relu(self.third(x)), 2)
        x = F.relu(x + self.branch(x))
        return self.head(x.amax((2, 3)))
"""

FALLING = """
size, used = 50, 0
optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.01)
while used + size <= images:
    rate = 0.01 * min(0.1 + 4 * used / images, 1 - used / images)
    for group in optimizer.param_groups:
        group["lr"] = rate
    chosen = torch.randint(len(pictures), (size,))
    x, y = to_input(pictures[chosen].to(device)), labels[chosen].to(device)
    net.train()
    optimizer.zero_grad()
    F.cross_entropy(net(x), y).backward()
    optimizer.step()
    used += size
"""

FLIPPED = slip(ADAM, "net(x), y)", "net(torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x, x.flip(3))), y)")


def answer(network: str = PLAIN, recipe: str = ADAM) -> str:
    """Write the whole cell: the network's methods and the body of ``fit``."""
    body = indent(recipe.strip("\n"), "    ")
    return f"class Net(nn.Module):{network}\n\ndef fit(net, pictures, labels, images):\n{body}"


RECIPES_RIGHT = {
    "average at the end, pictures flipped": answer(
        slip(PLAIN, "AdaptiveMaxPool2d", "AdaptiveAvgPool2d"), FLIPPED
    ),
    "residual network, AdamW with a rate that rises and falls": answer(RESIDUAL, FALLING),
}

NETWORK = Question(
    test="test-network",
    cell="recipe",
    wrong={
        "eleven classes": answer(slip(PLAIN, "channels, 10", "channels, 11")),
        "a layer that is forgotten": answer(
            slip(PLAIN, "        self.head =", "        self.extra = nn.Linear(64, 64)\n        self.head =")
        ),
        "batch statistics when it is evaluated": answer(
            slip(PLAIN, "nn.BatchNorm2d(width)", "nn.BatchNorm2d(width, track_running_stats=False)")
        ),
        "softmax at the end": answer(
            slip(PLAIN, "self.head(self.layers(x))", "self.head(self.layers(x)).softmax(1)"),
            slip(FALLING, "rate = 0.01", "rate = 0.00001"),
        ),
        "too many multiplications": answer(
            CONV.format(widths="72, 72"), slip(FALLING, "rate = 0.01", "rate = 0.00001")
        ),
    },
    right=RECIPES_RIGHT,
    also_loses={
        "too many multiplications": ("test-learning",),
        "softmax at the end": ("test-learning",),
    },
)

FIT = Question(
    test="test-fit",
    cell="recipe",
    wrong={
        "epochs in place of the budget": answer(
            recipe="""
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
net.train()
for epoch in range(3):
    for x, y in batches(pictures, labels, 64, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
"""
        ),
        "one epoch, whatever the budget": answer(
            recipe="""
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
net.train()
for x, y in batches(pictures, labels, 64, shuffle=True):
    optimizer.zero_grad()
    F.cross_entropy(net(x), y).backward()
    optimizer.step()
"""
        ),
        "the received pictures are flipped": answer(recipe="\npictures.copy_(pictures.flip(3))" + ADAM),
        "evaluation mode": answer(recipe=slip(ADAM, "net.train()", "net.eval()")),
        "a network of its own": answer(recipe="\nnet = Net().to(device)" + ADAM),
    },
    right=RECIPES_RIGHT,
    also_loses={
        "the received pictures are flipped": (),
        "*": ("test-learning",),
    },
)

MLP = """
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(3072, 256), nn.ReLU(), nn.Linear(256, 10))

    def forward(self, x):
        return self.layers(x)
"""

LEARNING = Question(
    test="test-learning",
    cell="recipe",
    wrong={
        "the lecture's network and recipe": answer(DECK, DECK_RECIPE),
        "no convolution": answer(MLP),
        "rate far too low": answer(recipe=slip(FALLING, "rate = 0.01", "rate = 1e-6")),
        "labels shuffled apart from the pictures": answer(
            recipe=slip(FALLING, "labels[chosen]", "labels[torch.randint(len(pictures), (size,))]")
        ),
    },
    right=RECIPES_RIGHT,
)

FLIP = Question(
    test="test-flip",
    cell="flip",
    wrong=functions(
        "def predict_with_flip(net, x):",
        {
            "upside down": "return (net(x) + net(x.flip(2))) / 2",
            "colours reversed": "return (net(x) + net(x.flip(1))) / 2",
            "sum in place of the mean": "return net(x) + net(x.flip(3))",
            "the flipped picture alone": "return net(x.flip(3))",
            "mean of the pictures": "return net((x + x.flip(3)) / 2).relu()",
            "all axes": "return (net(x) + net(x.flip((2, 3)))) / 2",
        },
    ),
    right=functions(
        "def predict_with_flip(net, x):",
        {
            "both in one batch": """
                first, second = net(torch.cat([x, torch.flip(x, [-1])])).chunk(2)
                return torch.stack([first, second]).mean(0)
            """,
            "columns taken from the right": """
                columns = torch.arange(x.shape[3] - 1, -1, -1)
                return 0.5 * net(x) + 0.5 * net(x[:, :, :, columns])
            """,
        },
    ),
)

QUESTIONS = (
    STEPS,
    STEP_MODE,
    EPOCH,
    EVALUATE_VALUES,
    EVALUATE_MODE,
    BY_CLASS,
    NETWORK,
    FIT,
    LEARNING,
    FLIP,
)
