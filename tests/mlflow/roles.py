"""Who sends a request to a server with rights: `editor`, unless a user name is given.

Nothing is proven here: no password is looked at. It is for tests of what a role may do, on loopback.
"""

from flask import request
from werkzeug.datastructures import Authorization


def authorize() -> Authorization:
    return request.authorization or Authorization("basic", {"username": "editor"})
