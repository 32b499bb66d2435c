"""The parts of `scripts/bench start`."""
