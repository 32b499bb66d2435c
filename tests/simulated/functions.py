"""Lambda: what AWS remembers of a function's configuration and moto forgets."""

from moto.awslambda.models import LambdaFunction

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
