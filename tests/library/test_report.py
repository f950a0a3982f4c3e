"""The demo's report: every sentence right for whatever was measured, also where a method lost or found nothing."""

import copy
import io
import re

import pytest
from rich.console import Console

from minilm import report

MEMORY = {"weights": 4000, "gradients": 4000, "optimizer state": 8000, "activations": 90_000}


def run(data, bits, trained):
    return {
        "data": data,
        "lr": 1e-3,
        "steps": 6,
        "seconds": 1.25,
        "trained": trained,
        "bits_per_byte": bits,
        "shakespeare": 2.5,
        "history": [{"step": 3, "bits_per_byte": bits + 0.1}, {"step": 6, "bits_per_byte": bits}],
        "memory": {"predicted": MEMORY, "measured": MEMORY},
        "file_bytes": 12_345,
    }


RESULTS = {
    "pretrain": {
        "parameters": 1000,
        "steps": 20,
        "tokens": 4000,
        "seconds": 3.0,
        "bits_per_byte": 2.25,
        "data_note": "two plays",
        "history": [{"seconds": 1.0, "bits_per_byte": 3.0}, {"seconds": 3.0, "bits_per_byte": 2.25}],
    },
    "speak": {"text": "ROMEO:\nAy.", "bits_per_byte": {"small": 2.0, "large": 6.0}, "fingerprint": "f00"},
    "small-full": run("play:hamlet", 1.8, 1000),
    "small-lora": run("play:hamlet", 1.9, 50),
    "large-full": run("pydocs", 2.0, 1000),
    "large-lora": run("pydocs", 3.0, 50),
    "merge": {
        "largest_logit": 9.0,
        "merged_minus_unmerged": 2e-6,
        "adapted_minus_base": 3.0,
        "base_fingerprint": "aaa",
        "merged_fingerprint": "bbb",
        "unmerged_fingerprint": "aaa",
    },
    "samples": {kind: {"before": "was", "after": "is"} for kind in ("small", "large")},
}
FIGURES = {n: f"![{n}]({n}.png)" for n in ("pretraining", "finetuning-small", "finetuning-large", "quality", "memory")}


@pytest.fixture
def results():
    return copy.deepcopy(RESULTS)


def text_of(results):
    return "\n\n".join(report.sections({"seed": 0}, results, FIGURES))


def test_the_report_is_written_with_figures_that_its_links_find(results, tmp_path):
    report.write_report(tmp_path, {"seed": 0}, results)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    links = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert len(links) == len(FIGURES) and all((tmp_path / link).is_file() for link in links)


def test_a_gain_and_its_share_are_worked_out_from_the_results(results):
    assert "full fine-tuning gained 0.200 bits/byte and LoRA 0.100 (50% of that), with 5.0%" in text_of(results)
    assert "full fine-tuning gained 4.000 bits/byte and LoRA 3.000 (75% of that), with 5.0%" in text_of(results)


@pytest.mark.parametrize(("full", "lora"), [(2.0, 1.9), (2.1, 1.9), (1.9, 2.1), (2.1, 2.2)])
def test_where_a_method_gained_nothing_no_share_is_named(results, full, lora):
    results["small-full"]["bits_per_byte"], results["small-lora"]["bits_per_byte"] = full, lora
    sentence = next(line for line in text_of(results).splitlines() if line.startswith("On play:hamlet"))
    assert "of that" not in sentence
    assert f"gained {2 - full:.3f} bits/byte and LoRA {2 - lora:.3f}" in sentence


def test_a_base_that_did_not_come_back_is_told(results):
    assert "bit for bit" in text_of(results)
    results["merge"]["unmerged_fingerprint"] = "ccc"
    assert "CHANGED" in text_of(results) and "bit for bit" not in text_of(results)


def test_a_sample_cannot_break_out_of_its_block(results):
    results["samples"]["small"]["after"] = "```\n# a heading"
    assert text_of(results).count("```") % 2 == 0
    assert "'''\n# a heading" in text_of(results)


def test_a_file_name_cannot_break_the_table(results):
    for method in ("full", "lora"):
        results[f"small-{method}"]["data"] = "file:a|b.txt"
    for line in text_of(results).splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == len(report.HEADINGS) + 1, line


def test_the_terminal_shows_every_column_of_the_report_once():
    assert sorted({*report.QUALITY, *report.COST}) == list(range(len(report.HEADINGS)))
    assert {*report.QUALITY} & {*report.COST} == {0}


def test_every_heading_of_the_terminal_stands_for_one_of_the_report():
    assert len(report.SHORT) == len(report.HEADINGS)


def terminal(results):
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(report.terminal_table(report.TITLES[0], report.QUALITY, results))
    console.print(report.terminal_table(report.TITLES[1], report.COST, results))
    return console.export_text().splitlines()


def test_in_80_columns_every_row_and_heading_is_one_line(results):
    for run in ("small-full", "small-lora"):
        results[run]["trained"] = 123_456_789
        results[run]["memory"] = {which: {"weights": 987_654_321} for which in ("predicted", "measured")}
    shown = terminal(results)
    assert max(map(len, shown)) <= 80
    assert len(shown) == 2 * (1 + 4 + 4), "a title, heading between rules, four rows, a rule; and none on two lines"
    assert report.TITLES[0] in "\n".join(shown) and report.TITLES[1] in "\n".join(shown)


def test_a_long_file_name_is_broken_and_no_number_is(results):
    for method in ("full", "lora"):
        results[f"small-{method}"]["data"] = f"file:/home/someone/{'long/' * 20}my.txt"
    shown = "\n".join(terminal(results))
    for row in report.rows(results):
        assert all(cell in shown for cell in row[1:])
    assert max(map(len, shown.splitlines())) <= 80
