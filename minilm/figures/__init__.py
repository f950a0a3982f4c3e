"""Figures that belong to one chapter each; what several chapters draw is in plots.py."""
