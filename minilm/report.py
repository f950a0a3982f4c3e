"""The demo's report: one table, a few figures, and every sentence filled in from what was measured."""

from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text

from . import plots
from .files import write_text

NAMES = {"full": "full", "lora": "LoRA"}
HEADINGS = (
    "method", "bits/byte before", "after", "Shakespeare after", "trained parameters",
    "bytes predicted", "bytes measured", "seconds", "file",
)  # fmt: skip
# For the terminal, two tables with short headings: one is too wide for 80 columns.
QUALITY, COST = (0, 1, 2, 3, 7), (0, 4, 5, 6, 8)
SHORT = ("method", "before", "after", "Shakespeare", "trained", "predicted", "measured", "seconds", "file")
TITLES = (
    "What each method learned and forgot (bits/byte; lower is better)",
    "What each costs (parameters, bytes of a training step, file)",
)


def write_report(folder, settings, results):
    """Write report.md and figures/ below `folder`; return the tables for the terminal."""
    folder = Path(folder)
    figures = draw(folder / "figures", results)
    text = "\n\n".join(section for section in sections(settings, results, figures))
    write_text(folder / "report.md", text + "\n")
    quality, cost = (terminal_table(*of, results) for of in zip(TITLES, (QUALITY, COST), strict=True))
    return Group("", quality, "", cost)


def terminal_table(title, columns, results):
    """Some columns of the table, for the terminal."""
    table = Table(title=title, title_justify="left")
    for column in columns:  # only the name of a method may take a second line, as that of a file can be long
        table.add_column(SHORT[column], justify="right" if column else "left", overflow="fold", no_wrap=column > 0)
    for row in rows(results):
        table.add_row(*(Text(row[column]) for column in columns))
    return table


def runs(results):
    """(kind of shift, method, result) of every fine-tuning."""
    for kind in ("small", "large"):
        for method in NAMES:
            yield kind, method, results[f"{kind}-{method}"]


def rows(results):
    """The table's rows, as text."""
    for kind, method, run in runs(results):
        measured, predicted = (sum(run["memory"][which].values()) for which in ("measured", "predicted"))
        yield (
            f"{NAMES[method]} on {run['data']}",
            f"{results['speak']['bits_per_byte'][kind]:.3f}",
            f"{run['bits_per_byte']:.3f}",
            f"{run['shakespeare']:.3f}",
            f"{run['trained']:,}",
            plots.human_bytes(predicted),
            plots.human_bytes(measured),
            f"{run['seconds']:.1f}",
            plots.human_bytes(run["file_bytes"]),
        )


def draw(folder, results):
    """Save the figures; returns name -> the line of Markdown that shows it."""
    curve = [(line["seconds"], line["bits_per_byte"]) for line in results["pretrain"]["history"]]
    drawn = {"pretraining": plots.loss_curves({"validation": curve}, "seconds of training", "Pretraining on 28 plays")}
    for kind in ("small", "large"):
        before, curves = results["speak"]["bits_per_byte"][kind], {}
        for method, name in NAMES.items():
            history = results[f"{kind}-{method}"]["history"]
            curves[name] = [(0, before), *((line["step"], line["bits_per_byte"]) for line in history)]
        drawn[f"finetuning-{kind}"] = plots.loss_curves(
            curves, title=f"Fine-tuning on {results[f'{kind}-full']['data']}"
        )
    quality, memory = {}, {"predicted": {}, "measured": {}}
    for kind, method, run in runs(results):
        bars = quality.setdefault(run["data"], {"base": results["speak"]["bits_per_byte"][kind]})
        bars[NAMES[method]] = run["bits_per_byte"]
        forgotten = quality.setdefault(
            f"Shakespeare, after {run['data']}", {"base": results["pretrain"]["bits_per_byte"]}
        )
        forgotten[NAMES[method]] = run["shakespeare"]
        if kind == "small":
            for which in memory:
                memory[which][NAMES[method]] = run["memory"][which]
    drawn["quality"] = plots.quality_bars(quality, title="What was learned and what was forgotten")
    drawn["memory"] = plots.memory_bars(memory["predicted"], memory["measured"], "Memory of one training step")
    return {name: plots.save(figure, folder / f"{name}.png") for name, figure in drawn.items()}


def sections(settings, results, figures):
    """The parts of report.md, in order."""
    base, merged = results["pretrain"], results["merge"]
    figures = {name: line.replace("](", "](figures/") for name, line in figures.items()}
    yield "# minilm demo"
    yield "Settings: " + ", ".join(f"{name} {value}" for name, value in settings.items()) + "."
    yield (
        f"## The base\n\n{base['parameters']:,} parameters, {base['steps']} steps, {base['tokens']:,} tokens, "
        f"{base['seconds']:.0f} s of training on Shakespeare: {base['data_note']}. It reaches "
        f"{base['bits_per_byte']:.3f} bits/byte on the plays it has not seen."
    )
    yield figures["pretraining"]
    yield f"It writes:\n\n{quote(results['speak']['text'])}"
    yield "## Full fine-tuning and LoRA\n\n" + markdown_table(HEADINGS, rows(results))
    yield "\n\n".join(verdict(results, kind) for kind in ("small", "large"))
    yield "\n\n".join(figures[name] for name in ("finetuning-small", "finetuning-large", "quality", "memory"))
    same = merged["base_fingerprint"] == merged["unmerged_fingerprint"]
    yield (
        "## Merging\n\n"
        f"Merged and unmerged logits differ by at most {merged['merged_minus_unmerged']:.1e} (the largest logit is "
        f"{merged['largest_logit']:.1f}); adapted and base logits by up to {merged['adapted_minus_base']:.1f}. "
        f"Base fingerprint before the merge {merged['base_fingerprint']}, merged {merged['merged_fingerprint']}, "
        f"unmerged {merged['unmerged_fingerprint']}: the base came back {'bit for bit' if same else 'CHANGED'}."
    )
    for kind, texts in results["samples"].items():
        yield f"## Before and after LoRA on {results[f'{kind}-lora']['data']}"
        yield f"Before:\n\n{quote(texts['before'])}\n\nAfter:\n\n{quote(texts['after'])}"


def verdict(results, kind):
    """What the two methods gained on one text, in one measured sentence."""
    before = results["speak"]["bits_per_byte"][kind]
    gain = {method: before - results[f"{kind}-{method}"]["bits_per_byte"] for method in NAMES}
    share = f" ({gain['lora'] / gain['full']:.0%} of that)" if min(gain.values()) > 0 else ""  # a loss has no share
    return (
        f"On {results[f'{kind}-full']['data']}, full fine-tuning gained {gain['full']:.3f} bits/byte and LoRA "
        f"{gain['lora']:.3f}{share}, with "
        f"{results[f'{kind}-lora']['trained'] / results[f'{kind}-full']['trained']:.1%} of the trained parameters."
    )


def markdown_table(headings, lines):
    lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]  # a file's name may hold anything
    parts = ["| " + " | ".join(line) + " |" for line in (headings, ["---"] * len(headings), *lines)]
    return "\n".join(parts)


def quote(text):
    """Text as a fenced block: samples may hold characters that Markdown would read as its own."""
    return "```text\n" + text.replace("```", "'''").strip() + "\n```"
