"""Detectors: guarded image loading, training, calibration, evaluation, heat maps, export and torch-free judging."""
