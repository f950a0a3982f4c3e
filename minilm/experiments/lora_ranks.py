"""LoRA on Python's reference at ranks 1 to 64, each at its own best learning rate. Runs as in lora_rates.py."""

from .lora_rates import measure as run

ABOUT = "LoRA on Python's reference, all seven layers, alpha = 16 and gamma = alpha / r, by rank and rate"
CELLS = [
    {"rank": rank, "rate": rate, "seed": seed}
    for seed in range(2)
    for rank in (1, 2, 4, 8, 16, 32, 64)
    for rate in ((1e-3, 3e-3, 1e-2) if rank < 16 else (1e-3, 3e-3, 1e-2, 3e-2))
]


def measure(rank, rate, seed):
    """Bits/byte on the text at the end (none where the run was lost), and how many numbers were trained."""
    found = run("lora", "pydocs", rate, seed, rank=rank)
    lost = {"lost": found["lost"]} if "lost" in found else {}
    return {"target": None if lost else found["target"][-1], **lost}
