"""Optimizers by hand: AdamW and Muon, with 32-bit master weights where the model's own are 16-bit.

A bfloat16 number has 8 significant bits: adding 0.001 to 1.0 gives 1.0 again. So for every 16-bit parameter the
optimizer keeps a float32 master copy, updates that, and rounds it into the model after each step. A float32 parameter
is its own master.

    >>> optimizer = AdamW(model.parameters(), lr=1e-3)
    >>> loss.backward(); optimizer.step(); optimizer.zero_grad()

What this file does not do: decide the learning rate of a step (schedule.py).

Sources: Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019), Muon (Jordan et al. 2024), master weights
(Micikevicius et al. 2018).
"""

import torch

from .errors import UserError


class Optimizer:
    """What all optimizers share: the list of parameters, their masters, their state.

    `lr` is the base rate; `step(scale)` uses lr * scale, so that one schedule drives optimizers with different rates.
    """

    def __init__(self, parameters, lr, weight_decay):
        self.parameters = [p for p in parameters if p.requires_grad]
        self.lr, self.weight_decay = lr, weight_decay
        self.masters = [p if p.dtype == torch.float32 else p.detach().float() for p in self.parameters]
        self.steps = 0

    @torch.no_grad()
    def step(self, scale=1.0):
        """One update of every parameter from its `.grad`, at learning rate lr * scale."""
        self.steps += 1
        lr = self.lr * scale
        for master in self.masters:
            master.mul_(1 - lr * self.weight_decay)  # decoupled: decay never enters the moments
        self.update([p.grad.to(m.dtype) for p, m in zip(self.parameters, self.masters, strict=True)], lr)
        for parameter, master in zip(self.parameters, self.masters, strict=True):
            if master is not parameter:
                parameter.copy_(master)

    def update(self, grads, lr):
        """Change the masters; `grads` are float32, one per parameter."""
        raise NotImplementedError

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None

    def buffers(self):
        """What one parameter costs besides itself and its gradient: name -> list of tensors, one per parameter."""
        raise NotImplementedError

    def own_masters(self):
        """The masters that are extra memory: those of 16-bit parameters."""
        return {
            f"master.{i}": master
            for i, (p, master) in enumerate(zip(self.parameters, self.masters, strict=True))
            if master is not p
        }

    def state(self):
        """Everything a resumed run needs, as name -> tensor (the step count is `steps`)."""
        named = {f"{name}.{i}": t for name, tensors in self.buffers().items() for i, t in enumerate(tensors)}
        return {**self.own_masters(), **named}

    def load_state(self, state, steps):
        """Put back what `state()` gave; a state of other parameters is a UserError."""
        mine = self.state()
        if mine.keys() != state.keys() or any(mine[name].shape != state[name].shape for name in mine):
            raise UserError(
                "the saved optimizer state belongs to other parameters; start a clean run with another --out"
            )
        for name, tensor in mine.items():
            tensor.copy_(state[name])
        self.steps = steps


class AdamW(Optimizer):
    """Steps of about lr per number, in the direction of the average gradient over its average size.

    w <- (1 - lr decay) w, and then
    m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  w <- w - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
    """

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
        super().__init__(parameters, lr, weight_decay)
        self.betas, self.eps = betas, eps
        self.m = [torch.zeros_like(master) for master in self.masters]
        self.v = [torch.zeros_like(master) for master in self.masters]

    def update(self, grads, lr):
        beta1, beta2 = self.betas
        bias1, bias2 = 1 - beta1**self.steps, 1 - beta2**self.steps
        for master, grad, m, v in zip(self.masters, grads, self.m, self.v, strict=True):
            m.lerp_(grad, 1 - beta1)
            v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
            # Both averages start at 0; dividing by 1 - beta^t takes that start out of them.
            spread = (v / bias2).sqrt_().add_(self.eps)
            master.addcdiv_(m, spread, value=-lr / bias1)

    def buffers(self):
        return {"m": self.m, "v": self.v}


class Muon(Optimizer):
    """Momentum whose singular values are all set to about 1, for 2-D weights.

    A gradient matrix is dominated by a few directions; orthogonalising it, U S V^T -> U V^T, lets the rare ones move
    as much as the common ones. The factor sqrt(max(1, out / in)) gives layers that widen (out > in) a larger step, as
    their outputs need.
    """

    def __init__(self, parameters, lr=0.02, momentum=0.95, weight_decay=0.0):
        super().__init__(parameters, lr, weight_decay)
        self.momentum = momentum
        self.velocity = [torch.zeros_like(master) for master in self.masters]

    def update(self, grads, lr):
        ahead = []
        for velocity, grad in zip(self.velocity, grads, strict=True):
            velocity.lerp_(grad, 1 - self.momentum)
            ahead.append(grad.lerp(velocity, self.momentum))  # Nesterov: look one step ahead of the average
        # Matrices of one shape go through the iteration together.
        for shape in dict.fromkeys(m.shape for m in self.masters):
            group = [i for i, m in enumerate(self.masters) if m.shape == shape]
            stack = torch.stack([ahead[i] for i in group])  # (n, out, in)
            directions = orthogonalise(stack, self.parameters[group[0]].dtype)
            for i, direction in zip(group, directions, strict=True):
                self.masters[i].add_(direction, alpha=-lr * max(1, shape[0] / shape[1]) ** 0.5)

    def buffers(self):
        return {"velocity": self.velocity}


# One odd polynomial a s + b s^3 + c s^5 per iteration, each the minimax choice for the range of s that the ones
# before it leave, beginning at [1/100, 1] (the construction of Amsel et al. 2025, "The Polar Express"). After the
# third, what was in that range lies between 0.73 and 1.27; smaller singular values have grown 78-fold.
POLYNOMIALS = ((8.0934, -23.6205, 17.4462), (3.6366, -2.7219, 0.5365), (2.6613, -1.9772, 0.4526))


def orthogonalise(matrices, dtype=torch.bfloat16):
    """Matrices with the same singular vectors and singular values near 1, without an SVD.

    With X = U S V^T, the product X X^T X is U S^3 V^T: an odd polynomial of a matrix acts on its singular values
    alone, and costs only matrix products. Arguments: matrices: (n, out, in). Returns: the same shape and dtype.
    """
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) * 1.01 + 1e-7)  # now no singular value is above 1
    if tall := x.shape[1] > x.shape[2]:
        x = x.mT  # the Gram matrix of the short side is the small one
    x = x.to(dtype).contiguous()
    for a, b, c in POLYNOMIALS:
        gram = torch.bmm(x, x.mT)  # (n, short, short)
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)  # b S^2 + c S^4
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)


class Together:
    """Several optimizers as one: each parameter belongs to exactly one of them."""

    def __init__(self, *optimizers):
        self.optimizers = optimizers
        self.parameters = [p for o in optimizers for p in o.parameters]

    def step(self, scale=1.0):
        for optimizer in self.optimizers:
            optimizer.step(scale)

    def zero_grad(self):
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    @property
    def steps(self):
        return self.optimizers[0].steps

    def state(self):
        return {f"{i}.{name}": t for i, o in enumerate(self.optimizers) for name, t in o.state().items()}

    def load_state(self, state, steps):
        for i, optimizer in enumerate(self.optimizers):
            prefix = f"{i}."
            own = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
            optimizer.load_state(own, steps)


def clip_gradients(parameters, limit):
    """Scale all gradients down together so that their joint length is at most `limit`; return the length before."""
    grads = [p.grad for p in parameters if p.grad is not None]
    length = torch.stack([g.float().norm() for g in grads]).norm()
    factor = (limit / (length + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(factor.to(grad.dtype))
    return length
