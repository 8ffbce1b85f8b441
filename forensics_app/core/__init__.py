"""The application without a face: verdicts, analyses, scans and reports as plain functions over small types."""
