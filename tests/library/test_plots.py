"""The figures: colours one can tell apart, nothing cut off, the same bytes each time, no global state."""

import base64
import doctest
import functools
import io
import itertools
import math
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from minilm import picture, plots
from minilm.errors import UserError

SIX = range(6)
FALLING = np.geomspace(10, 0.1, 24)
MEMORY = {
    "full fine-tuning": {"weights": 10e6, "gradients": 10e6, "optimizer state": 20e6},
    "LoRA r=8": {"weights": 10.3e6, "gradients": 0.3e6, "optimizer state": 0.6e6},
}
LONG = "a title so long that it cannot stand on one line at any size that a reader would like to read it in"

FIGURES = {
    "loss": lambda: plots.loss_curves({"full": [(0, 2.0), (80, 1.85)], "LoRA": [(0, 2.0), (80, 1.88)]}),
    "loss, log, cut": lambda: plots.loss_curves({"a": [(1, 8.0), (100, 2.0)]}, "seconds", LONG, "log", 4),
    "loss, six alike": lambda: plots.loss_curves({f"run of a long name {i}": [(0, 2), (9, 1)] for i in SIX}),
    "loss, ends early": lambda: plots.loss_curves({"short": [(0, 2), (10, 3)], "long": [(0, 2), (99, 1)]}),
    "spectra": lambda: plots.spectra({"update": FALLING}, {"noise": np.linspace(3, 1, 24)}),
    "energy": lambda: plots.energy_curves({"update": FALLING}, {"noise": np.linspace(3, 1, 24)}),
    "heat": lambda: plots.heat_map([[0.1, 0.9], [np.nan, 0.5]], ["a", "b"], ["to", "be"], "Attention", ".2f"),
    "heat, signed": lambda: plots.heat_map(np.outer([1, -2, 3], [1, 2]), title=LONG),
    "heat, long names": lambda: plots.heat_map(np.eye(7), column_labels=["a_long_projection"] * 7),
    "memory": lambda: plots.memory_bars(MEMORY, MEMORY, LONG),
    "memory, predicted only": lambda: plots.memory_bars(MEMORY),
    "quality": lambda: plots.quality_bars({"play": {"base": 2, "LoRA": 1.9}, "docs": {"base": 6, "LoRA": 2}}),
}
every_figure = pytest.mark.parametrize("name", FIGURES)


@functools.cache
def drawn(name):
    """One figure and its PNG, drawn once for all the tests that only look."""
    figure = FIGURES[name]()
    return figure, figure.png()


def simulate(colour, matrix):
    rgb = np.asarray(to_rgb(colour))
    return matrix @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


# Linear-RGB simulations of full colour blindness of three kinds (Machado, Oliveira & Fernandes 2009).
SIGHT = {
    "usual": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_colours_can_be_told_apart(sight):
    seen = [simulate(colour, np.array(SIGHT[sight])) for colour in picture.PALETTE]
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert nearest > 0.08, f"two colours look nearly alike: {nearest:.3f}"


def test_a_red_and_a_green_of_equal_brightness_would_not_pass():
    red, green = (simulate(c, np.array(SIGHT["deuteranopia"])) for c in ("#B05A4A", "#7F7A3C"))
    assert np.linalg.norm(red - green) < 0.08


def test_no_two_lines_share_both_colour_and_dashes():
    looks = [(look["color"], str(look["linestyle"])) for look in itertools.islice(picture.looks(), 7)]
    assert len(set(looks)) == 7


@pytest.mark.parametrize("colour", [*picture.PALETTE, picture.GREY])
def test_a_label_in_a_line_s_colour_can_be_read_on_white(colour):
    assert 1.05 / (picture.luminance(picture.readable(colour)) + 0.05) >= 4.5


def test_a_colour_that_can_be_read_already_stays_as_it_is():
    assert picture.readable("#0072B2") == to_rgb("#0072B2")
    assert picture.readable("#56B4E9") != to_rgb("#56B4E9")


@every_figure
def test_nothing_is_cut_off_at_the_edge(name):
    pixels = np.asarray(Image.open(io.BytesIO(drawn(name)[1])).convert("RGB"))
    edges = {"top": pixels[:4], "bottom": pixels[-4:], "left": pixels[:, :4], "right": pixels[:, -4:]}
    for side, edge in edges.items():
        assert (edge == 255).all(), f"something reaches the {side} edge of the picture"
    assert (pixels < 128).any(), "nothing was drawn at all"


@every_figure
def test_text_is_large_enough_to_read_at_notebook_width(name):
    figure, _ = drawn(name)
    assert figure.get_figwidth() == picture.WIDTH
    sizes = [text.get_fontsize() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert min(sizes) >= 10, f"the smallest text has {min(sizes)} points"


@every_figure
def test_the_same_data_give_the_same_bytes(name):
    assert FIGURES[name]().png() == drawn(name)[1]


def test_other_data_give_other_bytes():
    assert plots.spectra({"a": [3.0, 1.0]}).png() != plots.spectra({"a": [3.0, 2.0]}).png()


@every_figure
def test_every_figure_describes_itself_in_one_sentence(name):
    alt = drawn(name)[0].alt
    assert alt.endswith(".") and "\n" not in alt and len(alt) > 30


def test_the_description_has_the_figures_in_it():
    alt = FIGURES["loss"]().alt
    assert alt == "Training, by step: full ends at 1.85, LoRA ends at 1.88."


def test_a_png_holds_its_description_but_no_date_and_no_version():
    image = Image.open(io.BytesIO(FIGURES["quality"]().png("bits per byte: γ ≤ 2")))
    assert image.text == {"Description": "bits per byte: γ ≤ 2"}


def test_a_saved_figure_is_the_figure_and_comes_with_its_markdown(tmp_path):
    figure = FIGURES["energy"]()
    assert plots.save(figure, tmp_path / "new" / "energy.png") == f"![{figure.alt}](energy.png)"
    assert (tmp_path / "new" / "energy.png").read_bytes() == figure.png()
    assert plots.save(figure, tmp_path / "energy.png", alt="short") == "![short](energy.png)"
    assert (tmp_path / "energy.png").read_bytes() != figure.png()


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot write"):
        plots.save(FIGURES["quality"](), tmp_path / "file" / "plot.png")


def test_a_notebook_gets_the_same_png_and_the_description():
    figure = FIGURES["quality"]()
    data, metadata = figure._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]) == figure.png()
    assert data["text/plain"] == metadata["image/png"]["alt"] == figure.alt
    assert metadata["image/png"]["width"] == 768


def test_drawing_leaves_the_reader_s_settings_alone():
    before = dict(matplotlib.rcParams)
    FIGURES["memory"]().png()
    assert dict(matplotlib.rcParams) == before
    with plots.style():
        assert dict(matplotlib.rcParams) != before


def test_the_reader_s_settings_do_not_change_a_figure():
    expected = FIGURES["quality"]().png()
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False, "xtick.labelsize": 4}):
        assert FIGURES["quality"]().png() == expected


def test_pyplot_and_its_backend_are_never_loaded():
    code = "import sys, minilm.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_labels_that_would_touch_are_moved_apart_and_others_stay():
    assert picture._apart([0.9, 0.5], [0.1, 0.1]) == [0.9, 0.5]
    apart = picture._apart([0.5, 0.5, 0.5], [0.1, 0.1, 0.1])
    assert all(a - b >= 0.0999 for a, b in itertools.pairwise(apart)) and np.mean(apart) == pytest.approx(0.5)
    assert min(picture._apart([0.0, 0.0], [0.1, 0.1])) >= 0


def test_the_labels_of_six_equal_curves_do_not_overlap():
    figure = FIGURES["loss, six alike"]()
    figure.draw_without_rendering()
    # The box of the text alone: an annotation's own box also holds its pointer.
    boxes = [matplotlib.text.Text.get_window_extent(text) for text in figure.axes[0].texts]
    boxes.sort(key=lambda box: -box.y0)
    assert len(boxes) == 6
    for upper, lower in itertools.pairwise(boxes):
        assert upper.y0 >= lower.y1 - 1, "two labels overlap"


def test_a_curve_that_stops_early_is_named_where_it_stops():
    named = {text.get_text()[:5]: text for text in FIGURES["loss, ends early"]().axes[0].texts}
    assert named["short"].arrow_patch is None
    assert named["long\xa0"].arrow_patch is not None


def test_the_dot_of_an_energy_curve_is_at_the_rank_for_that_share():
    figure = plots.energy_curves({"a": [3.0, 1.0]}, share=0.95)
    dots = [line.get_xydata().tolist() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert dots == [[[2, 0.95]]] and "reaches 95% at rank 2 of 2" in figure.alt


def test_a_spectrum_stops_where_rounding_begins():
    figure = plots.spectra({"a": [4.0, 2.0, 1e-9, 0.0]})
    assert len(figure.axes[0].lines[0].get_xdata()) == 2


def test_cells_are_coloured_around_zero_only_when_signs_differ():
    signed, unsigned = FIGURES["heat, signed"](), FIGURES["heat"]()
    assert signed.axes[0].images[0].get_clim() == (-6, 6)
    assert unsigned.axes[0].images[0].get_clim() == (0.1, 0.9)


def test_a_cell_that_rounds_to_zero_has_no_sign():
    figure = plots.heat_map([[-0.01, -1.0]], fmt=".1f")
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.0", "−1.0"]


def test_missing_cells_are_left_blank():
    assert len(FIGURES["heat"]().axes[0].texts) == 3


def test_the_parts_of_a_memory_bar_add_up_to_its_total():
    axes = plots.memory_bars(MEMORY).axes[0]
    first = axes.patches[:3]
    assert sum(bar.get_width() for bar in first) == pytest.approx(40)
    assert [bar.get_x() for bar in first] == pytest.approx([0, 10, 20])
    assert "40.0 MB (38.1 MiB)" in [text.get_text() for text in axes.texts]


def test_only_measured_bars_are_hatched():
    assert not any(bar.get_hatch() for bar in plots.memory_bars(MEMORY).axes[0].patches)
    hatches = [bar.get_hatch() for bar in plots.memory_bars(MEMORY, MEMORY).axes[0].patches]
    assert hatches == [None] * 3 + ["////"] * 3 + [None] * 3 + ["////"] * 3


@pytest.mark.parametrize("scale", [("kB", 1e-3), ("MB", 1), ("GB", 1e3)])
def test_the_unit_of_memory_fits_the_largest_bar(scale):
    unit, factor = scale
    bytes_ = {"a": {"weights": 20e6 * factor}}
    axes = plots.memory_bars(bytes_).axes[0]
    assert axes.get_xlabel().startswith(f"{unit} (1 {unit} = ")
    assert axes.texts[0].get_text().startswith(f"20.0 {unit} (")


def test_bars_start_at_zero():
    for name in ("quality", "memory"):
        axes = FIGURES[name]().axes[0]
        assert axes.get_xlim()[0] == 0


def test_the_examples_in_the_docstrings_are_right():
    assert doctest.testmod(plots).failed == 0


@pytest.mark.parametrize("draw", [plots.loss_curves, plots.spectra, plots.energy_curves, plots.memory_bars,
                                  plots.quality_bars])  # fmt: skip
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(UserError, match="nothing to draw"):
        draw({})


def test_a_run_that_never_had_a_finite_loss_is_named():
    with pytest.raises(UserError, match="'LoRA' has no finite point"):
        plots.loss_curves({"LoRA": [(0, math.nan)]})


@pytest.mark.parametrize("values", [[1.0, 2.0], [[math.nan]], np.zeros((0, 2))])
def test_a_heat_map_of_no_matrix_is_refused(values):
    with pytest.raises(UserError, match="needs a matrix"):
        plots.heat_map(values)
