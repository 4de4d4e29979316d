"""An app for Domino listens on 0.0.0.0:8888 in a container of its own. Here many apps share one machine, so that one
of Python's that binds this port gets the one that the sandbox gave it."""

import importlib.machinery
import importlib.util
import os
import socket
import sys

DOMINOS_PORT = 8888


def bind(self, address, bind=socket.socket.bind):
    is_tcp = self.type & socket.SOCK_STREAM and isinstance(address, tuple)
    if is_tcp and address[1] == DOMINOS_PORT and "APP_PORT" in os.environ:
        loopback = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::ffff:127.0.0.1"}
        address = (loopback.get(self.family, address[0]), int(os.environ["APP_PORT"]))
    return bind(self, address)


socket.socket.bind = bind

# This file hides the one that the interpreter may have of its own.
folders = [folder for folder in sys.path if folder != os.path.dirname(__file__)]
own = importlib.machinery.PathFinder.find_spec("sitecustomize", folders)
if own is not None and own.loader is not None:
    own.loader.exec_module(importlib.util.module_from_spec(own))
