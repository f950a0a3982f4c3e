"""Answers to 2.9, a model that writes backwards."""

from bank import body, right, swap, wrong

EXERCISE = "2.9"
STEP = "x = layer(x, lambda heads: rope(heads, angles))"
RETURN = "return self.lm_head(self.norm(x))"
ANSWERS = [
    wrong("no rotation", "no positions", swap("rope(heads, angles)", "heads")),
    wrong("every token at position 0", "no positions", swap("torch.arange(ids.shape[1])", "torch.zeros(ids.shape[1])")),
    wrong(
        "positions backwards",
        "backwards positions",
        swap("torch.arange(ids.shape[1])", "torch.arange(ids.shape[1]).flip(0)"),
    ),
    wrong("positions of the batch", "batch", swap("ids.shape[1]", "ids.shape[0]")),
    wrong("positions of the length of the batch", "batch", swap("ids.shape[1]", "len(ids)")),
    wrong("only the first layer", "one layer", swap("in self.layers:", "in self.layers[:1]:")),
    wrong("all but the last layer", "one layer", swap("in self.layers:", "in self.layers[:-1]:")),
    wrong("all but the first layer", "one layer", swap("in self.layers:", "in self.layers[1:]:")),
    wrong("what the layers give is thrown away", "no layers", swap(f"x = {STEP[4:]}", STEP[4:])),
    wrong("the same layer each time", "same layer", swap("x = layer(", "x = self.layers[0](")),
    wrong(
        "every layer reads the embeddings",
        "not stacked",
        swap("x = self.embed_tokens(ids)", "x = first = self.embed_tokens(ids)"),
        swap("x = layer(x,", "x = layer(first,"),
    ),
    wrong("no norm before the head", "no final norm", swap("self.norm(x)", "x")),
    wrong("probabilities", "probabilities", swap(RETURN, f"{RETURN}.softmax(-1)")),
    wrong("log-probabilities", "probabilities", swap(RETURN, f"{RETURN}.log_softmax(-1)")),
    wrong("no head", "no head", swap(RETURN, "return self.norm(x)")),
    wrong("only the last token", "last only", swap(RETURN, "return self.lm_head(self.norm(x[:, -1]))")),
    wrong("only the last token, kept as a row", "last only", swap(RETURN, "return self.lm_head(self.norm(x[:, -1:]))")),
    wrong(
        "embeddings times the root of D",
        "scaled",
        swap("self.embed_tokens(ids)", "self.embed_tokens(ids) * self.norm.weight.numel() ** 0.5"),
    ),
    wrong("attention goes unused", "attention off", swap(STEP, "x = x + layer.mlp(layer.post_attention_layernorm(x))")),
    wrong(
        "the angles of the first call",
        "remembered",
        swap(
            "x = self.embed_tokens(ids)",
            "angles = self.__dict__.setdefault('angles', angles)\n        x = self.embed_tokens(ids)",
        ),
    ),
    wrong(
        "no gradients",
        "detached",
        body(
            "forward",
            """
        with torch.no_grad():
            angles = rope_angles(torch.arange(ids.shape[1]), self.head_dim, THETA)
            x = self.embed_tokens(ids)
            for layer in self.layers:
                x = layer(x, lambda heads: rope(heads, angles))
        return self.lm_head(self.norm(x))
    """,
        ),
    ),
    wrong("each layer detached from the one before", "detached", swap("x = layer(x,", "x = layer(x.detach(),")),
    wrong(
        "attention only in small batches",
        "does not learn",
        swap(
            STEP,
            f"""if len(ids) < 64:
                {STEP}
            else:
                x = x + layer.mlp(layer.post_attention_layernorm(x))""",
        ),
    ),
    wrong("ids go in without an embedding", "raised", swap("self.embed_tokens(ids)", "ids")),
    right(
        "a small function for the rotation",
        body(
            "forward",
            """
        positions = torch.arange(ids.size(1))
        angles = rope_angles(positions, self.head_dim, THETA)

        def rotate(x):
            return rope(x, angles)

        x = self.embed_tokens(ids)
        for i in range(len(self.layers)):
            x = self.layers[i](x, rotate)
        return F.linear(self.norm(x), self.embed_tokens.weight)
    """,
        ),
    ),
    right(
        "positions from 1, the distances being the same",
        swap("torch.arange(ids.shape[1])", "torch.arange(1, ids.shape[1] + 1)"),
    ),
    right(
        "the angles anew in each layer",
        body(
            "forward",
            """
        x = self.embed_tokens.weight[ids]
        for layer in self.layers:
            x = layer(x, lambda h: rope(h, rope_angles(torch.arange(h.shape[2]), h.shape[3], THETA)))
        return self.norm(x) @ self.lm_head.weight.T
    """,
        ),
    ),
]
SURVIVORS = {
    "Transformer: nn.Linear(width, vocab, bias=False) -> arguments swapped": "the embedding's matrix takes its place",
}
