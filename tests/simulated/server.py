"""How requests reach moto: one after the other, and none without a signature.

AWS's services apply one request at a time to a resource, and a DynamoDB transaction is atomic. moto's server
works on shared Python objects from many threads, so its application is put behind a lock.
"""

import io
import threading

from moto import backends
from moto.moto_server import werkzeug_app
from werkzeug.wrappers import Response

UNSIGNED = (
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>MissingAuthenticationToken</Code>"
    "<Message>Request is missing Authentication Token</Message></Error></Errors></Response>"
)


# Where the body of a request is kept for the check of its signature.
BODY = "simulated.body"


def correct():
    # moto looks for its modules in the file system at every request: a third of the time of a call.
    modules = list(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules

    application = werkzeug_app.DomainDispatcherApplication
    original = application.__call__
    lock = threading.Lock()

    def call(self, environ, start_response):
        # AWS refuses an unsigned request with 403; moto fails with a 500.
        if "HTTP_AUTHORIZATION" not in environ:
            return Response(UNSIGNED, 403, content_type="text/xml")(environ, start_response)
        # The bytes that were signed. werkzeug keeps none of a form; moto then signs a form of its own making, with a
        # space as `+`, and refuses every client that writes it as `%20`.
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ[BODY] = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(environ[BODY])
        with lock:
            return original(self, environ, start_response)

    application.__call__ = call
