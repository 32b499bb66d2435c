"""Where moto differs from AWS in a way that the scenarios can see, it is corrected here.

One module for each part of AWS. Every correction says what AWS does; what is not corrected is moto's own
behaviour. `correct()` is called once, before the server starts.
"""

from simulated import balancing, buckets, compute, control, functions, groups, identity, permissions, scaling, server, tables, trails


def correct():
    server.correct()
    permissions.correct()
    compute.correct()
    groups.correct()
    functions.correct()
    scaling.correct()
    balancing.correct()
    tables.correct()
    buckets.correct()
    trails.correct()
    identity.correct()
