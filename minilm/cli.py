"""The `minilm` command. Each command is a thin layer: it reads options, calls the library, prints what came out.

What they say when something goes wrong is in terminal_errors.py. Heavy modules are imported inside the commands, so
that `minilm --help` answers at once.
"""

from typing import Annotated

import typer

from . import __version__, terminal_errors
from .recipes import RATES, pretrain_recipe

app = typer.Typer(
    help="A small language model from scratch, and LoRA on it.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Out = Annotated[str, typer.Option(help="Folder for everything this run writes.")]
Seed = Annotated[int, typer.Option(help="Every random choice follows from it.")]
Data = Annotated[str, typer.Option(help="shakespeare, play:SLUG, pydocs, file:PATH or synthetic:TASK.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or mps.")]
PrecisionOption = Annotated[str, typer.Option("--precision", help="auto (measure), float32 or bfloat16.")]
Preset = Annotated[str, typer.Option(help="Size of the model: nano, micro, mini, base or large.")]
Isolation = Annotated[
    str, typer.Option(help="strong, any (weak walls are marked in every record), or the name of a level.")
]
Chapters = Annotated[str, typer.Option(help="The chapters that count, as in 1,2 or 0-3.", show_default="all")]
Model = Annotated[
    str, typer.Option(help="Folder of a model, or of the run that made it.", show_default="the shipped base")
]

# Defaults that follow from other choices, for the help: told by the recipes themselves, so that they stay true.
SHORT, LONG = pretrain_recipe(minutes=0.1), pretrain_recipe(minutes=30)
BATCH_RULE = f"{SHORT.batch} for the shortest runs to {LONG.batch} for long ones"
ADAMW_RULE, MUON_RULE = (
    " to ".join(dict.fromkeys(f"{getattr(recipe, name):g}" for recipe in (SHORT, LONG))) for name in ("lr", "muon_lr")
)
LR_RULE = ", ".join(
    f"{method} {RATES[method, 'small']:g} on plays and {RATES[method, 'large']:g} on other texts"
    for method in ("lora", "full")
)
SEVEN = "q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj"  # lora.ALL_SEVEN, without importing torch


def show_version(wanted):
    if wanted:
        print(f"minilm {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=show_version, is_eager=True)
    ] = False,
):
    """What stands before the command."""


@app.command()
def demo(
    minutes: Annotated[float, typer.Option(help="Minutes of pretraining.")] = 3.0,
    data: Annotated[str, typer.Option(help="The small shift to fine-tune on: play:SLUG or file:PATH.")] = "play:hamlet",
    seed: Seed = 0,
    rank: Annotated[int, typer.Option(help="Rank of the adapters.")] = 8,
    out: Out = "runs/demo",
    preset: Preset = "base",
    device: Device = "cpu",
    precision: PrecisionOption = "auto",
):
    """The whole story, about five minutes: pretrain, speak, fine-tune fully and with LoRA, compare, merge, unmerge."""
    from .demo import run_demo

    run_demo(
        minutes=minutes, data=data, seed=seed, rank=rank, out=out, preset=preset, device=device, precision=precision
    )


@app.command()
def fetch():
    """Download the Shakespeare text (2 MB), once; everything after this works without a network."""
    from . import corpus

    corpus.main()


@app.command()
def pretrain(
    out: Out = "runs/pretrain",
    preset: Preset = "base",
    data: Data = "shakespeare",
    steps: Annotated[int | None, typer.Option(help="Train this many steps (repeatable to the bit).")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Train this long instead.", show_default=f"{pretrain_recipe().minutes:g}")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Sequences per step.", show_default=BATCH_RULE)] = None,
    context: Annotated[
        int | None, typer.Option(help="Tokens per sequence.", show_default=f"{pretrain_recipe().context}")
    ] = None,
    vocab: Annotated[int, typer.Option(help="Tokens in the vocabulary, 257 or more.")] = 2048,
    lr: Annotated[
        float | None, typer.Option(help="Peak learning rate of embeddings and norms.", show_default=ADAMW_RULE)
    ] = None,
    muon_lr: Annotated[
        float | None, typer.Option(help="Peak learning rate of the matrices.", show_default=MUON_RULE)
    ] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: PrecisionOption = "auto",
):
    """Train a tokenizer and a model from nothing. The same command again resumes a run that was stopped.

    Several processes share the work: torchrun --nproc_per_node 2 -m minilm pretrain ...
    """
    from .jobs import run_pretrain

    run_pretrain(out, preset, data, steps, minutes, batch, context, vocab, lr, muon_lr, seed, device, precision)


@app.command()
def finetune(
    data: Data = "play:hamlet",
    out: Out = "runs/finetune",
    model: Model = "",
    method: Annotated[str, typer.Option(help="lora or full.")] = "lora",
    rank: Annotated[int, typer.Option(help="Rank r of every adapter.")] = 8,
    alpha: Annotated[float, typer.Option(help="Strength; gamma = alpha / rank.")] = 16.0,
    targets: Annotated[
        str, typer.Option(help="Layers to adapt, with commas between; lm_head is one, too.", show_default=SEVEN)
    ] = "",
    lr: Annotated[float | None, typer.Option(help="Peak learning rate.", show_default=LR_RULE)] = None,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 100,
    batch: Annotated[int, typer.Option(help="Sequences per step.")] = 8,
    context: Annotated[
        int | None, typer.Option(help="Tokens per sequence.", show_default="the model's context")
    ] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: PrecisionOption = "auto",
):
    """Adapt a model to a text, with LoRA or by training all of it. Writes an adapter folder, or a model folder.

    The same command again resumes a run that was stopped.
    """
    from .jobs import run_finetune

    run_finetune(data, out, model, method, rank, alpha, targets, lr, steps, batch, context, seed, device, precision)


@app.command()
def merge(
    adapter: Annotated[str, typer.Option(help="Folder of the adapter.")],
    out: Out = "runs/merged",
    model: Model = "",
):
    """Add an adapter into its base for good, and write the result as an ordinary model folder."""
    from .jobs import run_merge

    run_merge(adapter, out, model)


@app.command()
def export(
    folder: Annotated[str, typer.Argument(help="Folder to write; an adapter goes to adapter/ in it.")],
    to: Annotated[str, typer.Option(help="The format: hf, for transformers and PEFT.")] = "hf",
    model: Model = "",
    adapter: Annotated[str, typer.Option(help="Folder of an adapter to write beside the model.")] = "",
):
    """Write a model, and an adapter if one is named, as Hugging Face's libraries read them."""
    from .hub import check_format, export_hf
    from .jobs import alone, say

    alone("export")
    check_format("--to", to)
    for path in export_hf(folder, model, adapter):
        say(f"saved {path}")
    say(f"in Python: transformers.AutoModelForCausalLM.from_pretrained({folder!r})")


@app.command(name="import")
def import_(
    folder: Annotated[str, typer.Argument(help="A folder of a Llama model, or of a LoRA adapter that PEFT saved.")],
    source: Annotated[str, typer.Option("--from", help="The format: hf, from transformers or PEFT.")] = "hf",
    out: Out = "runs/imported",
    model: Annotated[
        str, typer.Option(help="For an adapter: the folder of its base.", show_default="the shipped base")
    ] = "",
):
    """Read a model or an adapter of Hugging Face's libraries; what minilm cannot do alike is refused by name."""
    from .hub import check_format, import_hf
    from .jobs import alone, say

    alone("import")
    check_format("--from", source)
    kind = import_hf(folder, out, model)
    base = f" --model {model}" if kind == "adapter" and model else ""
    say(f"saved {out}; hear it: minilm generate --{kind} {out}{base}")


@app.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="What the text begins with.")] = "",
    model: Model = "",
    adapter: Annotated[str, typer.Option(help="Folder of an adapter to put on the model.")] = "",
    tokens: Annotated[int, typer.Option(help="How many tokens to write.")] = 200,
    temperature: Annotated[float, typer.Option(help="0 is greedy; higher is wilder.")] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="Draw only from the k likeliest tokens.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw only from the likeliest tokens of this joint share.")
    ] = None,
    seed: Seed = 0,
):
    """Let a model write."""
    from .jobs import run_generate

    run_generate(prompt, model, adapter, tokens, temperature, top_k, top_p, seed)


@app.command(name="eval")
def evaluate(
    data: Data = "shakespeare",
    model: Model = "",
    adapter: Annotated[str, typer.Option(help="Folder of an adapter to put on the model.")] = "",
):
    """Bits per byte of a model, with or without an adapter, on the validation part of a text."""
    from .jobs import run_eval

    run_eval(data, model, adapter)


@app.command()
def grade(
    selection: Annotated[list[str] | None, typer.Argument(help="Exercises (5.2) or chapters (5); none: all.")] = None,
    impl: Annotated[str, typer.Option(help="exercises, solutions, or the path of a folder or a file.")] = "exercises",
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Behind walls, as a teacher grades: your code in a process of its own.")
    ] = False,
    json: Annotated[str, typer.Option(help="Write a record to this file ('-' prints it instead of the table).")] = "",
    junit: Annotated[str, typer.Option(help="Write a JUnit report to this file.")] = "",
):
    """Grade your exercises: points per exercise, what was seen, and what is next."""
    from .grading.command import grade

    grade(selection or (), impl, json, junit, isolated)


@app.command(name="grade-class")
def grade_class(
    submissions: Annotated[str, typer.Argument(help="A folder that holds one folder or zip per learner.")],
    out: Annotated[str, typer.Option(help="Folder for records, grades.csv, class.html and the course secret.")],
    jobs: Annotated[int, typer.Option(help="Submissions side by side.", show_default="one per core")] = 0,
    deadline: Annotated[str, typer.Option(help="When it was due, such as 2026-03-01T23:59+01:00.")] = "",
    late: Annotated[
        str, typer.Option(help="What lateness leaves of the points: a file, or '24:0.9, 48:0.8' (hours:share).")
    ] = "",
    isolation: Isolation = "strong",
    secret: Annotated[
        str, typer.Option(help="File of the course secret; made when missing.", show_default="OUT/secret")
    ] = "",
    chapters: Chapters = "",
):
    """Grade a class of strangers: isolated, resumable, one record per learner and chapter, then grades."""
    from .grading.classroom.run import grade_class

    grade_class(submissions, out, jobs, deadline, late, isolation, secret, chapters)


@app.command(name="grade-one")
def grade_one(
    submission: Annotated[str, typer.Option(help="Folder or zip of one learner.")],
    out: Annotated[str, typer.Option(help="File for the records.")] = "",
    isolation: Isolation = "strong",
    secret: Annotated[str, typer.Option(help="File of the course secret; made when missing.")] = "",
    name: Annotated[str, typer.Option(help="What the records call it.", show_default="the name of the folder")] = "",
    gradescope: Annotated[str, typer.Option(help="File for Gradescope's results.json.")] = "",
    chapters: Chapters = "",
):
    """Grade one submission, isolated: what a cluster or an autograder calls. Exit status 3: grading did not finish."""
    from .grading.classroom.one import grade_one

    if not grade_one(submission, out, isolation, secret, name, gradescope, chapters)[1]:
        raise typer.Exit(3)


@app.command(name="export-gradescope")
def export_gradescope(
    out: Annotated[str, typer.Option(help="The zip to write.")] = "autograder.zip",
    secret: Annotated[str, typer.Option(help="File of the course secret.", show_default="a new one")] = "",
    late: Annotated[str, typer.Option(help="What lateness leaves of the points: a file, or '24:0.9, 48:0.8'.")] = "",
    pip_args: Annotated[str, typer.Option(help="Anything more for pip, such as an index with CPU torch.")] = "",
    chapters: Chapters = "",
):
    """Pack the autograder of the whole course for Gradescope."""
    from .grading.exports.command import grade_export

    grade_export("gradescope", out, secret=secret, late=late, pip_args=pip_args, chapters=chapters)


@app.command(name="grade-export")
def grade_export(
    to: Annotated[str, typer.Argument(help="classroom (GitHub), cluster (Snakemake) or container.")],
    out: Annotated[str, typer.Option(help="Where to write it.", show_default="its usual place")] = "",
):
    """Write what another system needs in order to grade: GitHub, a cluster, a container."""
    from .grading.exports.command import grade_export

    grade_export(to, out)


@app.command()
def bundle(
    out: Annotated[str, typer.Option(help="The zip to write.")] = "course.zip",
    with_text: Annotated[bool, typer.Option("--with-text", help="Put the plays in, for machines offline.")] = False,
):
    """Pack what learners get into one zip: the course without solutions, mutants and maintainers' tests."""
    from .bundle import write_bundle

    write_bundle(out, with_text)


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="What to measure; none: the quick ones.")] = None,
    json: Annotated[
        str, typer.Option(help="Write the results to this file ('-' prints JSON instead of a table).")
    ] = "",
    nanogpt: Annotated[str, typer.Option(help="A checkout of nanoGPT, for the comparisons with it.")] = "",
):
    """Measure what the course claims about itself, and print figure, measured value and verdict."""
    from .bench import run_bench

    run_bench(names or [], json, nanogpt)


@app.command()
def experiment(
    name: Annotated[str, typer.Argument(help="Which; none: list them.")] = "",
):
    """Make again what a notebook draws but is too slow to measure in class. Goes on where it was stopped."""
    from . import experiments

    if name:
        experiments.run(name)
    else:
        print("\n".join(experiments.names()))


@app.command()
def doctor():
    """Versions, threads, the precision chosen, corpus and base: everything a bug report needs."""
    from .doctor import report

    print(report())


def main():
    """The entry point of the `minilm` command."""
    terminal_errors.run(app)
