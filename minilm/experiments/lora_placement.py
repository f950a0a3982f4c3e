"""Where to put the same number of trained parameters: attention, MLP or everywhere. Runs as in lora_rates.py."""

from ..lora import ALL_SEVEN
from ..model import PRESETS
from .lora_rates import measure as run

ABOUT = "LoRA on Python's reference in attention only, in the MLP only and in all layers, equal numbers of parameters"
PLACES = {"attention": ALL_SEVEN[:4], "mlp": ALL_SEVEN[4:], "all seven": ALL_SEVEN}
CELLS = [
    {"place": place, "rate": rate, "seed": seed}
    for seed in range(3)
    for place in PLACES
    for rate in (1e-3, 3e-3, 1e-2, 3e-2)
]


def measure(place, rate, seed):
    """Bits/byte on the text at the end, the rank that spends the same number of parameters, and that number."""
    rank = matched_rank(place)
    found = run("lora", "pydocs", rate, seed, rank=rank, targets=PLACES[place])
    lost = {"lost": found["lost"]} if "lost" in found else {}
    return {"target": None if lost else found["target"][-1], "rank": rank, "trained": trained(place, rank), **lost}


def trained(place, rank, config=PRESETS["base"]):
    """Numbers that learn: r (in + out) for each adapted matrix of each block."""
    d, f = config.hidden_size, config.intermediate_size
    sizes = dict.fromkeys(ALL_SEVEN[:4], d + d) | dict.fromkeys(ALL_SEVEN[4:], d + f)
    return config.num_hidden_layers * rank * sum(sizes[name] for name in PLACES[place])


def matched_rank(place, reference=8):
    """The rank at which `place` has as nearly as possible as many parameters as all seven layers at `reference`."""
    return round(trained("all seven", reference) / trained(place, 1))
