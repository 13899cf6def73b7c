"""Muon in single precision: PyTorch's own runs its iteration in bfloat16, which a CPU without such units takes ten times as long for.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
"""

from collections import defaultdict

import torch

QUINTIC = (3.4445, -4.775, 2.0315)
STEPS = 5


def orthogonal(matrices):
    """[n,r,c] -> about U V^T of each one's U S V^T, by Newton and Schulz."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / x.flatten(1).norm(dim=1).clamp_min(1e-7)[:, None, None]
    a, b, c = QUINTIC
    for _ in range(STEPS):
        square = x @ x.mT
        x = a * x + torch.baddbmm(b * square, square, square, beta=1, alpha=c) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Steps of the size that AdamW's have; matrices of one shape go together."""

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.05):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            alike = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for shape, parameters in alike.items():
                for parameter, update in zip(parameters, self.updates(parameters, group["momentum"])):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(update, alpha=group["lr"] * 0.2 * max(shape) ** 0.5)

    def updates(self, parameters, momentum):
        looked_ahead = []
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state["mean"] = torch.zeros_like(parameter)
            state["mean"].lerp_(parameter.grad, 1 - momentum)
            looked_ahead.append(parameter.grad.lerp(state["mean"], momentum))
        return orthogonal(torch.stack(looked_ahead))
