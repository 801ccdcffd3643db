"""ImprovBox: a band in a box that hears a guitar and plays along in real time."""

__version__ = "0.1.0"
