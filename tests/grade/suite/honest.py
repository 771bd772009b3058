"""Right answers in the styles in which students write them: every one has full marks."""

from tests.grade.suite.assignment import ANSWERS
from tests.grade.suite.case import Case
from tests.grade.tiny import as_bytes

HONEST = [
    Case("numpy", "arrays", {
        "numbers": "out_size = np.int64((28 - 3 + 2) // 2 + 1)\nn_parameters = np.array(16 * (3 * 9 + 1))",
        "conv2d": """
            def conv2d(x, w):
                x, w = x.numpy(), w.numpy()
                windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
                return np.einsum("nchwij,ocij->nohw", windows, w)
        """}),
    Case("loops-and-lists", "arrays", {
        "conv2d": """
            def conv2d(x, w):
                result = []
                for image in x.tolist():
                    maps = []
                    for kernel in w.tolist():
                        k = len(kernel[0])
                        size = len(image[0]) - k + 1
                        maps.append([[sum(image[c][i + a][j + b] * kernel[c][a][b]
                                          for c in range(len(image)) for a in range(k) for b in range(k))
                                      for j in range(size)] for i in range(size)])
                    result.append(maps)
                return result
        """}),
    Case("unfold", "arrays", {
        "conv2d": """
            def conv2d(x, w):
                columns = F.unfold(x, w.shape[2:])
                out = (w.flatten(1) @ columns)
                return out.view(len(x), len(w), x.size(2) - w.size(2) + 1, -1)
        """}),
    Case("einsum", "torch", {
        "conv2d": """
            def conv2d(x, w):
                windows = x.unfold(2, w.shape[2], 1).unfold(3, w.shape[3], 1)
                return torch.einsum("nchwij,ocij->nohw", windows, w)
        """,
        "gradient": "softplus = lambda x: torch.logaddexp(x, torch.zeros_like(x))"}),
    Case("library", "torch", {
        "conv2d": "conv2d = F.conv2d",
        "gradient": "softplus = nn.Softplus()",
        "net": "Net = lambda: nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), "
               "nn.Flatten(), nn.Linear(64, 10))"}),
    Case("optimizer", "torch", {
        "train": """
            def train_step(net, x, y, lr):
                net.train()
                optimizer = torch.optim.SGD(net.parameters(), lr=lr)
                optimizer.zero_grad()
                loss = nn.MSELoss()(net(x), y)
                loss.backward()
                optimizer.step()
                return loss
        """}),
    Case("functional-gradients", "torch, less usual", {
        "train": """
            from torch.func import functional_call
            def train_step(net, x, y, lr):
                weights = dict(net.named_parameters())
                def loss_of(weights):
                    return F.mse_loss(functional_call(net, weights, (x,)), y)
                gradients, loss = torch.func.grad_and_value(loss_of)(weights)
                with torch.no_grad():
                    for name, p in weights.items():
                        p.sub_(lr * gradients[name])
                return loss.detach().numpy()
        """}),
    Case("autograd-function", "torch, less usual", {
        "gradient": """
            class Softplus(torch.autograd.Function):
                @staticmethod
                def forward(ctx, x):
                    ctx.save_for_backward(x)
                    return torch.log1p(torch.exp(x))
                @staticmethod
                def backward(ctx, grad_output):
                    (x,) = ctx.saved_tensors
                    return grad_output / (1 + torch.exp(-x))
            softplus = Softplus.apply
        """}),
    Case("inference-mode", "torch, less usual", {
        "conv2d": "@torch.inference_mode()\ndef conv2d(x, w):\n    return F.conv2d(x.double(), w.double()).float().contiguous(memory_format=torch.channels_last)"}),
    Case("classes", "programs", {
        "size": """
            class OutputSize:
                def __init__(self, name): self.name = name
                def __call__(self, size, kernel, stride=1, padding=0):
                    return int((size - kernel + 2 * padding) / stride) + 1
            output_size = OutputSize("크기")
        """,
        "conv2d": """
            class Conv:
                @staticmethod
                def apply(x, w): return F.conv2d(x, w)
            conv2d = Conv.apply
        """}),
    Case("partials-and-wraps", "programs", {
        "size": """
            import functools
            def log(function):
                @functools.wraps(function)
                def wrapped(*args, **kwargs):
                    print(function.__name__, args, kwargs)
                    return function(*args, **kwargs)
                return wrapped
            @log
            @functools.lru_cache
            def output_size(size, kernel, stride=1, padding=0):
                return math.floor((size + 2 * padding - kernel) / stride + 1)
        """,
        "conv2d": "import functools\nconv2d = functools.partial(F.conv2d, bias=None, stride=1)"}),
    Case("typed", "programs", {
        "size": """
            from __future__ import annotations
            def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
                \"\"\"출력의 크기.

                >>> output_size(5, 3)
                3
                \"\"\"
                match stride:
                    case 0:
                        raise ValueError("stride")
                    case _:
                        return (size + 2 * padding - kernel) // stride + 1
        """,
        "net": """
            from typing import ClassVar
            class Net(nn.Module):
                channels: ClassVar[int] = 4
                def __init__(self, n_classes: int = 10) -> None:
                    super().__init__()
                    self.features: nn.Sequential = nn.Sequential(
                        nn.Conv2d(1, self.channels, 3, padding="same"), nn.ReLU(inplace=True), nn.MaxPool2d(2, 2))
                    self.classifier = nn.Linear(self.channels * 16, n_classes)
                def forward(self, x: torch.Tensor) -> torch.Tensor:
                    x = self.features(x)
                    return self.classifier(torch.flatten(x, start_dim=1))
        """}),
    Case("dataclasses", "classes of many kinds", {
        "size": """
            from dataclasses import dataclass
            @dataclass(frozen=True)
            class Layer:
                kernel: int
                stride: int = 1
                padding: int = 0
                def __call__(self, size): return (size + 2 * self.padding - self.kernel) // self.stride + 1
            def output_size(size, kernel, stride=1, padding=0):
                return Layer(kernel, stride, padding)(size)
        """}),
    Case("inheritance", "classes of many kinds", {
        "net": """
            class Base(nn.Module):
                def forward(self, x):
                    for layer in self.layers.values():
                        x = layer(x)
                    return x
            class Net(Base):
                def __init__(self, *, width=4, **kwargs):
                    super().__init__(**kwargs)
                    self.layers = nn.ModuleDict({"합성곱": nn.Conv2d(1, width, (3, 3), 1, 1), "활성": nn.ReLU(),
                        "풀링": nn.AdaptiveMaxPool2d(4), "펴기": nn.Flatten(), "분류": nn.Linear(16 * width, 10)})
        """}),
    Case("korean", "names and words", {
        "size": """
            # 출력의 크기를 셉니다
            def 출력크기(크기, 커널, 보폭=1, 패딩=0):
                # (크기 + 2·패딩 − 커널) ÷ 보폭 + 1
                return (크기 + 2 * 패딩 - 커널) // 보폭 + 1
            output_size = 출력크기
        """,
        "choice": 'answer = "②"  #@param ["선택", "①", "②", "③"] {type:"string"}'}),
    Case("names-of-the-tests", "names and words", {
        "numbers": "got = want = x = w = net = 3\ncases = kinds = weights = losses = None\nprobe_kinds = probe_steps = 1\n"
                   + ANSWERS["numbers"]}),
    Case("prints-and-plots", "what it shows", {
        "numbers": "%matplotlib inline\nimport matplotlib.pyplot as plt\n" + ANSWERS["numbers"]
                   + "\nplt.figure(figsize=(4, 3), dpi=300)\nplt.plot([1, out_size]); plt.title('출력')\nplt.show()",
        "conv2d": """
            import matplotlib.pyplot as plt
            from IPython.display import display, HTML
            def conv2d(x, w):
                out = F.conv2d(x, w)
                print("모양:", out.shape)
                display(HTML("<b>conv</b>"))
                plt.imshow(out[0, 0]); plt.show()
                return out
        """}),
    Case("progress-bars", "what it shows", {
        "train": ANSWERS["train"] + """
from tqdm import tqdm
from tqdm.auto import trange
for epoch in trange(3, desc="학습"):
    for batch in tqdm(range(5), leave=False):
        loss = train_step(nn.Linear(2, 1), torch.randn(4, 2), torch.randn(4, 1), 0.01)
"""}),
    Case("magics", "what it shows", {
        "size": "%%time\n" + ANSWERS["size"],
        "conv2d": "%load_ext autoreload\n%autoreload 2\n" + ANSWERS["conv2d"] + "\n%timeit -n 1 -r 1 conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2))\n!ls\nconv2d?",
    }),
    Case("helper-cells", "notebooks", before="""
        import random, os
        SEED = 42
        random.seed(SEED); np = __import__("numpy"); np.random.seed(SEED)
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        def pad(x, p): return __import__("torch").nn.functional.pad(x, (p,) * 4)
    """, answers={"net": ANSWERS["net"].replace("padding=1", "padding=0").replace("self.conv(x)", "self.conv(pad(x, 1))")}),
    Case("global-state", "notebooks", {
        "conv2d": """
            calls = 0
            cache = {}
            def conv2d(x, w):
                global calls
                calls += 1
                key = (x.sum().item(), tuple(w.flatten().tolist()))
                if key not in cache:
                    cache[key] = F.conv2d(x, w)
                return cache[key]
        """,
        "train": "history = []\n" + ANSWERS["train"].replace("return loss.item()", "history.append(loss.item())\n    return history[-1]")}),
    Case("side-file", "notebooks", {"size": "from helper import output_size"}, files=lambda nb: {
        "suite.ipynb": as_bytes(nb),
        "helper.py": ANSWERS["size"].encode(),
    }),
    Case("in-place", "memory and devices", {
        "conv2d": """
            def conv2d(x, w):
                out = x.new_zeros(x.shape[0], w.shape[0], x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1)
                for a in range(w.shape[2]):
                    for b in range(w.shape[3]):
                        window = x[:, :, a : a + out.shape[2], b : b + out.shape[3]]
                        out.add_(torch.tensordot(window, w[:, :, a, b], dims=([1], [1])).permute(0, 3, 1, 2))
                x.zero_()
                return out
        """}),
    Case("gpu-if-available", "memory and devices", before="""
        import torch
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        print(f"{device=}")
        torch.backends.cudnn.benchmark = True
    """, answers={
        "net": ANSWERS["net"] + "\nnet = Net().to(device)\nnet.eval()",
        "conv2d": "def conv2d(x, w):\n    return F.conv2d(x.to(device), w.to(device)).detach().cpu()"}),
    Case("loaders-and-files", "memory and devices", {
        "train": ANSWERS["train"] + """
from torch.utils.data import DataLoader, TensorDataset
loader = DataLoader(TensorDataset(torch.randn(16, 2), torch.randn(16, 1)), batch_size=8, num_workers=2)
model = nn.Linear(2, 1)
for x, y in loader:
    train_step(model, x, y, 0.1)
torch.save(model.state_dict(), "model.pt")
model.load_state_dict(torch.load("model.pt"))
torch.save(Net(), "/tmp/net.pt")
torch.load("/tmp/net.pt", weights_only=False)
"""}),
]  # fmt: skip
