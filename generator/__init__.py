"""Fakes and data sets: sampling, equalizing and auditing."""
