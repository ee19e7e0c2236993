"""What a browser is told about every answer, so that it does nothing that we would not."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Pages bring their own style sheets and pictures along; portraits are data URIs. No script runs that somebody wrote into a name.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # an address may hold a receipt; and browsers say where our own forms come from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",  # unless the route says that it may be kept
}
TLS_FOR_A_YEAR = "max-age=31536000"


class Headers:
    """A route's own header stands; what it does not say is added."""

    def __init__(self, app: ASGIApp, *, behind_tls: bool) -> None:
        self._app = app
        named = ALWAYS | ({"Strict-Transport-Security": TLS_FOR_A_YEAR} if behind_tls else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = message["headers"] = list(message["headers"])
                names = {name for name, _ in said}
                said += [header for header in self._headers if header[0] not in names]
            await send(message)

        await self._app(scope, receive, add if scope["type"] == "http" else send)
