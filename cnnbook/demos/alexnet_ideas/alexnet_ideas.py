"""AlexnetIdeas: three ideas of AlexNet in numbers: two GPUs as groups, the gradient of ReLU, dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from cnnbook.demos.kit import Demo, numbers

if TYPE_CHECKING:
    import torch

    from cnnbook.figures import Drawing

DEPTH, UNITS = 8, 10


class AlexnetIdeas(Demo):
    """Follow a gradient down a chain of units, halve a layer by groups, or drop units at random.

    Parameters
    ----------
    view : {"gradient", "groups", "dropout"}
        Which idea is shown.
    weights : list of float
        Eight numbers: the weight of each unit of the chain.
    start : float
        What goes into the chain, -3 to 3.
    layer : {"conv2", "conv3", "conv4", "conv5"}
        The layer whose weights are counted with one and with two groups.
    values : list of float
        Ten activations that dropout meets.
    p : float
        The probability of dropping one, 0 to 0.9.
    seed : int
        Which random choice.
    training : bool
        Dropout drops in training only.

    Raises
    ------
    traitlets.TraitError
        If a value has another shape or is outside these limits.
    """

    view = traitlets.Enum(["gradient", "groups", "dropout"], "gradient").tag(sync=True)
    weights = traitlets.List([1.0] * DEPTH).tag(sync=True)
    start = traitlets.Float(1.0, min=-3, max=3).tag(sync=True)
    layer = traitlets.Enum(["conv2", "conv3", "conv4", "conv5"], "conv2").tag(sync=True)
    values = traitlets.List([1, 3, 0, 2, 4, 1, 2, 0, 3, 4]).tag(sync=True)
    p = traitlets.Float(0.5, min=0, max=0.9).tag(sync=True)
    seed = traitlets.Int(0, min=0, max=9999).tag(sync=True)
    training = traitlets.Bool(True).tag(sync=True)

    @traitlets.validate("weights")
    def _weights(self, proposal: dict[str, Any]) -> list[float]:
        return numbers(proposal["value"], "weights", DEPTH)

    @traitlets.validate("values")
    def _values(self, proposal: dict[str, Any]) -> list[float]:
        return numbers(proposal["value"], "values", UNITS)

    def gradients(self, function: str) -> torch.Tensor:
        """Differentiate the end of the chain by the input of each unit, with autograd.

        Parameters
        ----------
        function : {"sigmoid", "tanh", "relu"}
            The activation function of every unit.

        Returns
        -------
        torch.Tensor
            Shape (8,): d end / d input of unit 1, 2, …, 8.
        """
        import torch

        inputs = [torch.tensor(self.start, dtype=torch.float64, requires_grad=True)]
        for weight in self.weights:
            inputs.append(getattr(torch, function)(weight * inputs[-1]))
        return torch.stack(torch.autograd.grad(inputs[-1], inputs[:-1], allow_unused=True))

    def static_figure(self) -> Drawing:
        """Draw the gradient at each unit for the three activation functions."""
        from cnnbook import figures

        steps = list(range(1, DEPTH + 1))
        lines = {self.labels[name]: self.gradients(name).tolist() for name in ("relu", "tanh", "sigmoid")}
        return figures.curve(
            steps,
            lines,
            xlabel=self.labels["unit"],
            ylabel=self.labels["gradient"],
            alt=self.labels["static"],
        )
