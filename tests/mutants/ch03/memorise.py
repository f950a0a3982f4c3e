"""Answers to 3.9, a paragraph by heart."""

from bank import body, right, swap, wrong

EXERCISE = "3.9"
BATCH = "inputs, targets = make_batch(tokens, row, context)"
GRADS = "grads, _ = clip_gradients(torch.autograd.grad(loss, parameters), limit)"
RATE = "lr = learning_rate(t, len(starts), warmup, peak, peak / 10)"
BACKWARD = "loss.backward()\n        grads, _ = clip_gradients([w.grad for w in parameters], limit)"
ANSWERS = [
    wrong(
        "learns to copy",
        "unshifted",
        swap("cross_entropy(model(inputs), targets)", "cross_entropy(model(inputs), inputs)"),
    ),
    wrong(
        "the first windows for ever",
        "same windows",
        swap(BATCH, "inputs, targets = make_batch(tokens, starts[0], context)"),
    ),
    wrong("gradients pile up", "piled up", swap(GRADS, BACKWARD)),
    wrong(
        "drops what clipping returned",
        "not clipped",
        swap(GRADS, "grads = torch.autograd.grad(loss, parameters)\n        clip_gradients(grads, limit)"),
    ),
    wrong("no clipping", "not clipped", swap(GRADS, "grads = torch.autograd.grad(loss, parameters)")),
    wrong("always the peak", "full rate", swap(RATE, "lr = peak")),
    wrong("steps from 0", "rate behind", swap("learning_rate(t,", "learning_rate(t - 1,")),
    wrong("t is always 1", "t stands still", swap("v[i], t, lr)", "v[i], 1, lr)")),
    wrong("forgets m and v", "new moments", swap("new, m[i], v[i] =", "new, _, _ =")),
    wrong("a new variable", "not updated", swap("w.copy_(new)", "w = new")),
    wrong(
        "a copy of the model",
        "not updated",
        swap(
            "parameters = list(model.parameters())",
            "import copy\n    model = copy.deepcopy(model)\n    parameters = list(model.parameters())",
        ),
    ),
    wrong(
        "only matrices",
        "some left out",
        swap(
            "                new, m[i], v[i] =",
            "                if w.ndim < 2:\n                    continue\n                new, m[i], v[i] =",
        ),
    ),
    wrong(
        "a number of the small case",
        "not learned",
        swap("make_batch(tokens, row, context)", "make_batch(tokens, row, 4)"),
    ),
    wrong("the last loss only", "type", swap("return losses", "return losses[-1]")),
    wrong("updates without no_grad", "raised", swap("with torch.no_grad():", "if True:")),
    right(
        "backward, and then cleared",
        swap(GRADS, BACKWARD + "\n        model.zero_grad()"),
    ),
    right(
        "torch's own parts",
        body(
            "memorise",
            """
        optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.1)
        losses = []
        for t, row in enumerate(starts.tolist(), start=1):
            block = torch.stack([tokens[start : start + context + 1] for start in row])
            logits = model(block[:, :-1])
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), block[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
            optimizer.param_groups[0]["lr"] = learning_rate(t, len(starts), warmup, peak, 0.1 * peak)
            optimizer.step()
            losses.append(float(loss.detach()))
        return losses
    """,
        ),
    ),
    right(
        "a dictionary of states, and .data",
        body(
            "memorise",
            """
        state = {name: [torch.zeros_like(w), torch.zeros_like(w)] for name, w in model.named_parameters()}
        losses = []
        for t in range(1, len(starts) + 1):
            model.zero_grad(set_to_none=True)
            loss = cross_entropy(model(make_batch(tokens, starts[t - 1], context)[0]),
                                 make_batch(tokens, starts[t - 1], context)[1])
            loss.backward()
            names = dict(model.named_parameters())
            grads, length = clip_gradients([w.grad for w in names.values()], limit)
            lr = learning_rate(t, len(starts), warmup, peak, peak * 0.1)
            for (name, w), grad in zip(names.items(), grads):
                w.data, *state[name] = adamw_step(w.data, grad, *state[name], t, lr)
            losses.append(loss.item())
        return losses
    """,
        ),
    ),
]
