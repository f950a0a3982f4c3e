"""The graded test of chapter 0."""

import math

from minilm.grading.expect import close, graded


@graded("0.1")
def test_two_coins_are_two_bits(answers):
    close(
        answers.surprise(0.25),
        2.0,
        known={
            "nats": math.log(4),
            "sign": -2.0,
            "base 10": math.log10(4),
            "other event": -math.log2(0.75),
            "inverse": 4.0,
            "expected": 0.5,
        },
    )


@graded("0.1")
def test_what_had_to_happen_is_no_surprise(answers):
    close(answers.surprise(1.0), 0.0)


@graded("0.1", "whole bits")
def test_surprise_comes_in_fractions_of_bits(answers):
    close(answers.surprise(0.3), 1.736965594166206)


@graded("0.1")
def test_the_surprise_of_two_independent_events_adds_up(answers):
    both, one, other = (answers.surprise(p) for p in (0.3 * 0.125, 0.3, 0.125))
    close(both, one + other)


@graded("0.1")
def test_random_surprises_are_found_from_their_probabilities(answers):
    for bits in answers.random.uniform(0.05, 60.0, 6).tolist():
        close(answers.surprise(2.0**-bits), bits)
