"""TransferStep: which weights move in one step, and how far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    from cnnbook.figures import Drawing

LAYERS = 4  # three of the backbone and the head, one weight each


class TransferStep(Demo):
    """Follow gradient descent in a chain of four weights: freeze some, give the others learning rates.

    Parameters
    ----------
    input, target : float
        What goes in, and what should come out, -4 to 4.
    weights : list of float
        One of each layer; ReLU stands between layers, not after the last. The loss is half the squared error.
    frozen : int
        How many layers from the input on are frozen, 0 to 3.
    head_lr, backbone_lr : float
        Learning rates of the last layer and of the one before it, 0.01 to 0.5.
    decay : float
        Each further layer towards the input has `decay` times the learning rate, 0.1 to 1.
    step : int
        How many steps have been made, 0 to 20.

    Raises
    ------
    traitlets.TraitError
        If a value is outside these limits.
    """

    input = traitlets.Float(1.0, min=-4, max=4).tag(sync=True)
    target = traitlets.Float(2.0, min=-4, max=4).tag(sync=True)
    weights = traitlets.List([1, 1, 1, 0.5]).tag(sync=True)
    frozen = traitlets.Int(3, min=0, max=LAYERS - 1).tag(sync=True)
    head_lr = traitlets.Float(0.1, min=0.01, max=0.5).tag(sync=True)
    backbone_lr = traitlets.Float(0.05, min=0.01, max=0.5).tag(sync=True)
    decay = traitlets.Float(1.0, min=0.1, max=1).tag(sync=True)
    step = traitlets.Int(0, min=0, max=20).tag(sync=True)

    @traitlets.validate("weights")
    def _weights(self, proposal: dict[str, Any]) -> list:
        return numbers(proposal["value"], "weights", LAYERS)

    def run(self, steps: int) -> list[float]:
        """Return the four weights after `steps` steps of `torch.optim.SGD`."""
        import torch

        from cnnbook.transfer import freeze, parameter_groups

        model = torch.nn.Sequential()
        for i, weight in enumerate(self.weights):
            layer = torch.nn.Linear(1, 1, bias=False, dtype=torch.float64)
            torch.nn.init.constant_(layer.weight, weight)
            model.add_module(f"layer{i + 1}", layer)
            if i < LAYERS - 1:
                model.add_module(f"relu{i + 1}", torch.nn.ReLU())
        freeze(model, until=f"layer{self.frozen + 1}")
        groups = parameter_groups(model, head_lr=self.head_lr, backbone_lr=self.backbone_lr, decay=self.decay)
        optimizer = torch.optim.SGD(groups)
        x = torch.tensor([[self.input]], dtype=torch.float64)
        for _ in range(steps):
            optimizer.zero_grad()
            ((model(x) - self.target) ** 2 / 2).sum().backward()
            optimizer.step()
        return [p.item() for p in model.parameters()]

    def static_figure(self) -> Drawing:
        """Draw how far each weight has moved after ten steps."""
        from cnnbook import figures

        moved = [abs(new - old) for new, old in zip(self.run(10), self.weights, strict=True)]
        names = ("layer1", "layer2", "layer3", "head")
        lines = {self.labels[name]: distance for name, distance in zip(names, moved, strict=True)}
        return figures.bars(
            lines, xlabel=self.labels["moved"], alt=self.labels["static"].format(frozen=self.frozen)
        )
