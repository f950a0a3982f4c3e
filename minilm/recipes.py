"""The course's own recipes: the settings that were found to work, and how they were found.

Pretraining: 3 minutes by `minilm demo`, longer runs by `make pretrain` (pretrained/base/about.json records its result).
Fine-tuning: `minilm bench learning-rates` sweeps the rates of both methods on both kinds of text.
"""

from .recipe import Recipe

# Peak AdamW rates by method and kind of shift: "small" is more of the same (another play), "large" is another world.
# Best of a sweep of five per cell, one seed. For full fine-tuning on a play 1e-4 was the lowest rate tried, and on
# pydocs 3e-3 was as good (to 0.002): so LoRA's best rate is 3 to 10 times that of full fine-tuning here.
RATES = {("full", "small"): 1e-4, ("full", "large"): 1e-3, ("lora", "small"): 1e-3, ("lora", "large"): 1e-2}


def pretrain_recipe(steps=None, minutes=None, batch=None, context=None, seed=0):
    """Muon inside the blocks, AdamW outside, a short warm-up and a long way down. Default length: 3 minutes.

    A short run wants many small steps; a longer one wants fewer and larger ones, which waste less time between the
    products. A run that reads the plays several times would learn them by heart: other names in every epoch (which
    cost a text without speakers nothing) keep it from that, and in a long run dropout helps.
    """
    if steps is None and minutes is None:
        minutes = 3.0
    length = minutes if minutes is not None else steps / 300  # a rough guess, and enough for the choices below
    return Recipe(
        steps=steps,
        minutes=minutes,
        batch=(4 if length < 0.5 else 8 if length < 2 else 16) if batch is None else batch,
        context=256 if context is None else context,
        optimizer="muon",
        lr=0.008 if length > 5 else 0.012,
        muon_lr=0.012,
        weight_decay=0.3,
        dropout=0.1 if length > 8 else 0.0,
        recast=True,
        clip=None,  # Muon's step has the same size whatever the gradient's
        seed=seed,
    )


def finetune_recipe(method, kind, steps=100, batch=8, seed=0, lr=None, context=None):
    """AdamW at the rate that suits method and kind of shift: the two methods' best rates differ by a factor."""
    rate = RATES[method, kind] if lr is None else lr
    return Recipe(steps=steps, batch=batch, context=context or 256, lr=rate, warmup=0.1, seed=seed, evaluate=3)


def kind_of_shift(data):
    """How far the data set of this name is from what the base has read: "small" for Shakespeare, else "large"."""
    return "small" if data.startswith("play:") or data == "shakespeare" else "large"
