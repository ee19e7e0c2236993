"""The small HTTP server of a stage: `/metrics`, `/healthz`, `/readyz`, in daemon threads that neither hold a process up nor take it down."""

import errno
import logging
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from livetally.observe.health import Answer
from livetally.observe.meter import StageMeter

PORT_MAX = 65_535
PORT_STEP = 10  # the next port to try: its last digit still says which stage it is
PORTS_TRIED_MAX = 20
REQUESTS_MAX = 16  # at the same time; who asks for more at once is turned away
REQUEST_TIMEOUT_S = 5.0  # for somebody who connects and says nothing
CLOSED_WITHIN_S = 0.1

log = logging.getLogger(__name__)


class MetricsServer(ThreadingHTTPServer):
    """Serves one meter from the moment that it is made. Raises OSError if the address cannot be used."""

    daemon_threads = True
    allow_reuse_port = False  # a second recorder shall notice that the port is taken

    def __init__(self, meter: StageMeter, address: str, port: int) -> None:
        self.meter = meter
        self._free = threading.BoundedSemaphore(REQUESTS_MAX)
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), Handler)
        threading.Thread(target=self.serve_forever, args=(CLOSED_WITHIN_S,), name="metrics", daemon=True).start()

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer would ask the name service who we are, and wait for it
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (the server's own signature)
        error = sys.exception()
        if isinstance(error, (ConnectionError, TimeoutError)):
            log.debug("somebody who asked for metrics went away")
        else:
            log.warning("a request for metrics failed", exc_info=error)


class Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = REQUEST_TIMEOUT_S
    server_version = "livetally"
    sys_version = ""

    def do_GET(self) -> None:
        meter = self.server.meter
        match self.path.partition("?")[0]:
            case "/metrics":
                self._send(HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(meter.registry))
            case "/healthz":
                self._say(meter.health.healthz())
            case "/readyz":
                self._say(meter.health.readyz())
            case _:
                self._send(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"There are /metrics, /healthz and /readyz.\n")

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 (the base class' name)
        """A request is nothing that a person would act on."""

    def _say(self, answer: Answer) -> None:
        status = HTTPStatus.OK if answer.is_good else HTTPStatus.SERVICE_UNAVAILABLE
        self._send(status, "text/plain; charset=utf-8", f"{answer.text}\n".encode())

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def serve(meter: StageMeter, address: str, port: int) -> MetricsServer:
    """On this port, or on the next of its stage that is free, or on any. Raises OSError if the address is not one of this machine's."""
    for candidate in range(port, min(port + PORT_STEP * PORTS_TRIED_MAX, PORT_MAX + 1), PORT_STEP):
        try:
            return MetricsServer(meter, address, candidate)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return MetricsServer(meter, address, 0)
