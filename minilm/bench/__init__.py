"""`minilm bench`: every figure the course claims about itself, measured on the machine at hand.

    minilm bench                         the quick ones (about two minutes)
    minilm bench lora-step memory        those two
    minilm bench all --json out.json     all that need nothing else (about 30 minutes)
    minilm bench nanogpt --nanogpt DIR   against a checkout of nanoGPT, which is run as it is
    minilm bench peers                   against transformers, PEFT and tokenizers

Each row says what was measured, the value, the bound that the course sets itself, and whether it was met. Times on a
shared machine wander, so everything compared is measured alternately in one run, and the best of several is taken.
"""

import json
import platform

import torch
from rich.table import Table

from ..errors import UserError
from ..files import write_json
from . import isolation, memory, nanogpt, peers, quality, speed

QUICK = {
    "import": speed.import_time,
    "bpe": speed.bpe,
    "encode": speed.encode,
    "throughput": speed.throughput,
    "lora-step": speed.lora_step,
    "memory": memory.predicted_and_measured,
    "generation": speed.generation,
}
SLOW = {"isolation": isolation.isolation, "quality": quality.at_minutes, "learning-rates": quality.learning_rates}
PEER = {"nanogpt": nanogpt.compare}
LIBRARIES = {"peers": peers.compare}  # needs the `interop` extra, and is measured when it is named


def run_bench(names, json_path="", nanogpt_folder=""):
    """Run the named measurements and print a table, or write JSON to `json_path` ('-' is the terminal)."""
    known = {**QUICK, **SLOW, **PEER, **LIBRARIES}
    if "all" in names:
        names = [*QUICK, *SLOW, *(PEER if nanogpt_folder else ())]
    for name in names:  # all of them before the first is measured
        if name not in known:
            raise UserError(f"there is no benchmark {name!r}; choose from: all, {', '.join(known)}")
    rows = []
    for name in names or QUICK:
        measure = known[name]
        found = measure(nanogpt_folder) if name in PEER else measure()
        rows += [{"bench": name, **row} for row in found]
        if json_path != "-":
            show(rows[-len(found) :])
        if json_path not in ("", "-"):  # after each one: a long measurement that is stopped leaves what it has
            write_json(json_path, {"machine": machine(), "rows": rows})
    if json_path == "-":
        print(json.dumps({"machine": machine(), "rows": rows}, indent=2))


def show(rows):
    """Print rows as a table: what, measured, bound, met."""
    from ..jobs import console

    table = Table("bench", "what", "measured", "must be", "met")
    for row in rows:
        met = {True: "yes", False: "NO", None: ""}[row["met"]]
        measured = "never" if row["value"] is None else f"{row['value']:.4g} {row['unit']}"
        table.add_row(row["bench"], row["what"], measured, row["must"], met)
    console.print(table)


def machine():
    """What the figures were measured on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
