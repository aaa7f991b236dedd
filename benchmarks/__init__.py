"""What Powauth costs, measured beside what a person would write by hand. `python -m benchmarks --help` says how."""
