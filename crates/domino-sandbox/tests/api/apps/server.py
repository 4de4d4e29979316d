"""An app for tests: it tells what it was asked and where it runs, and can be told how to behave."""

import http.server
import json
import os
import pathlib
import threading

GO = threading.Event()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/slow":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.chunk(b"first")
            GO.wait(30)
            self.chunk(b"second")
            self.chunk(b"")
        elif self.path == "/go":
            GO.set()
            self.answer(b"went")
        elif self.headers.get("Upgrade") == "echo":
            self.send_response(101)
            self.send_header("Connection", "upgrade")
            self.send_header("Upgrade", "echo")
            self.end_headers()
            for line in self.rfile:
                self.wfile.write(b"heard " + line)
            self.close_connection = True
        else:
            self.tell()

    def do_POST(self):
        self.tell()

    def do_PUT(self):
        self.tell()

    def chunk(self, content):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()

    def tell(self):
        length = int(self.headers.get("Content-Length") or 0)
        told = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
            "which": pathlib.Path("which.txt").read_text(encoding="utf-8").strip(),
            "environment": dict(os.environ),
        }
        self.answer(json.dumps(told).encode())

    def answer(self, content):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


print("listening on", os.environ["APP_PORT"], flush=True)
place = (os.environ["APP_HOST"], int(os.environ["APP_PORT"]))
http.server.ThreadingHTTPServer(place, Answer).serve_forever()
