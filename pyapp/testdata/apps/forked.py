"""Tells numbers that must not be the same in two workers, though both are forks of one import."""

import os
import random
import secrets
import ssl
import uuid

random.random()  # the generator has a state when the worker is forked


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Pid", str(os.getpid()))])
    numbers = [random.random(), ssl.RAND_bytes(16).hex(), uuid.uuid4().hex, secrets.token_hex()]
    return [" ".join(map(str, numbers)).encode()]
