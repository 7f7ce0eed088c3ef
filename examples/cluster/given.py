"""A server of one request at a time that is given its socket, as descriptor 3. TERM is heeded between two requests."""

import http.server
import os
import signal
import socket
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello from python {os.getpid()}\n".encode())


assert os.environ.get("LISTEN_PID") == str(os.getpid()), "to be started by something that knows sd_listen_fds(3)"
server = http.server.HTTPServer(("", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
server.socket.setblocking(False)  # somebody else may be faster to accept

over = False


def stop(*_):
    global over
    over = True


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
server.timeout = 1
while not over:
    server.handle_request()
sys.exit(0)
