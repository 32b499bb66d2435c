"""A light simulated account for sweeps at scale; see __main__."""

ACCOUNT = "111122223333"
HOME = "eu-central-1"
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")


def spread(count, planted):
    """The numbers of the harmful ones among so many, evenly spread."""
    step = count / planted
    return {int(index * step) for index in range(planted)}
