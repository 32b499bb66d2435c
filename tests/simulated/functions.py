"""Lambda: what AWS remembers of a function's configuration and moto forgets, and what AWS does before a first start."""

import io
import os
import zipfile

from moto.awslambda.models import LambdaFunction, lambda_backends

REMEMBERED = ("LoggingConfig", "KMSKeyArn")


def correct():
    make, update, show = LambdaFunction.__init__, LambdaFunction.update_configuration, LambdaFunction.get_configuration

    def remember(function, spec):
        function.remembered = getattr(function, "remembered", {}) | {k: spec[k] for k in REMEMBERED if k in spec}

    def __init__(self, account_id, spec, *args, **named):
        make(self, account_id, spec, *args, **named)
        remember(self, spec)

    def update_configuration(self, config_updates):
        remember(self, config_updates)
        return update(self, config_updates)

    def get_configuration(self, *args, **named):
        return show(self, *args, **named) | getattr(self, "remembered", {})

    LambdaFunction.__init__ = __init__
    LambdaFunction.update_configuration = update_configuration
    LambdaFunction.get_configuration = get_configuration


def unpack(account, region, function, folder):
    """AWS unpacks a function's zip before its first start. It hands the zip out by a link, for which moto has no server."""
    with zipfile.ZipFile(io.BytesIO(lambda_backends[account][region].get_function(function).code_bytes)) as code:
        for entry in code.infolist():
            os.chmod(code.extract(entry, folder), entry.external_attr >> 16)
    return {}
