"""The console in a browser, through textual-serve: only for who has the address with its token, and
only on pages of its own.

A page that somebody has open anywhere can reach 127.0.0.1 through the browser. So each start draws
a token, which is the first part of every path, and each request, WebSocket handshakes among them,
must name a host that is served here (a foreign name that points to 127.0.0.1 is DNS rebinding) and,
where it names an origin, come from a page that was served here. The token leaves in no Referer, and
no other page may frame this one. A console that is opened so reads only, until the person at it
says `:take`; the other consoles are told then. All pages share one engine, which is a process of
its own.
"""

import hmac
import shlex
import sys
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

import click

from engine.model.address import is_loopback
from tui.cli.output import reveal, say

if TYPE_CHECKING:
    from aiohttp import web

TOKEN_BYTES = 32
TAKEN = "console.read_only_until_taken=true"
Handler = Callable[["web.Request"], Awaitable["web.StreamResponse"]]


class Guard:
    """Says which requests may be answered."""

    def __init__(self, host: str, port: int) -> None:
        self.token = token_urlsafe(TOKEN_BYTES)
        self.host = f"[{host}]" if ":" in host else host
        self.port = port
        self._named = host

    @property
    def base(self) -> str:
        """The address, without the token."""
        return f"http://{self.host}:{self.port}"

    @property
    def address(self) -> str:
        """What a person opens."""
        return f"{self.base}/{self.token}/"

    def refusal(self, host: str, origin: str | None, path: str) -> str:
        """Why a request is not answered; empty where it is."""
        if not self._serves(host):
            return "this host is not served here"
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return "only pages that were served here may ask"
        given = path.removeprefix("/").partition("/")[0]
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
            return "open the whole address that `flatout web` printed"
        return ""

    def _serves(self, told: str) -> bool:
        """Whether a Host header names this server: as it was named at the start, or by a number
        where it listens everywhere.
        """
        host, separator, port = told.rpartition(":")
        if not separator or not port.isdigit():
            host, port = told, "80"
        if not port.isascii() or int(port) != self.port:
            return False
        name = host.removeprefix("[").removesuffix("]").lower()
        if name == self._named.lower() or (is_loopback(self._named) and is_loopback(name)):
            return True
        return (
            _is_number(name) and _is_number(self._named) and ip_address(self._named).is_unspecified
        )

    @staticmethod
    def headers(host: str) -> dict[str, str]:
        """What every answer tells the browser: nothing is sent elsewhere, loaded from elsewhere,
        framed or kept.
        """
        # the page of textual-serve has its script and its style inside; what is foreign comes over
        # the WebSocket, as cells
        policy = (
            (
                "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self'"
                " 'unsafe-inline'"
            ),
            f"connect-src 'self' ws://{host}; img-src 'self' data:; font-src 'self' data:",
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
        return {
            "Content-Security-Policy": "; ".join(policy),
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }


def is_public(host: str) -> bool:
    """Whether others than this machine can reach what listens on `host`."""
    return not is_loopback(host)


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


# over 40 lines: its handlers need what is imported here, where it is installed
def application(command: str, guard: Guard) -> "web.Application":
    """The page, its files and its WebSocket, behind the guard. Raises ImportError without
    textual-serve.
    """
    import aiohttp_jinja2
    import jinja2
    from aiohttp import web
    from textual_serve.server import Server

    server = Server(
        command,
        host=guard.host,
        port=guard.port,
        title="Flatout",
        public_url=guard.address.rstrip("/"),
    )
    files = {
        found.relative_to(server.statics_path).as_posix(): found
        for found in Path(server.statics_path).rglob("*.*")
    }

    async def page(request: web.Request) -> web.StreamResponse:
        told: dict[str, Any] = {
            "font_size": 16,
            "app_websocket_url": f"ws://{request.host}/{guard.token}/ws",
            "config": {"static": {"url": f"/{guard.token}/static/"}},
            "application": {"name": "Flatout"},
        }
        return aiohttp_jinja2.render_template("app_index.html", request, told)

    async def file(request: web.Request) -> web.StreamResponse:
        found = files.get(request.match_info["path"])
        return web.FileResponse(found) if found is not None else web.Response(status=404)

    app = web.Application()
    aiohttp_jinja2.setup(
        app, loader=jinja2.FileSystemLoader(server.templates_path), autoescape=True
    )
    _put_before(app, guard)
    # any first part has its route: whether it is the token is for the guard to say, in constant
    # time
    app.add_routes(
        [
            web.get("/{token}/", page),
            web.get("/{token}/ws", server.handle_websocket),
            web.get("/{token}/static/{path:.+}", file),
        ]
    )
    return app


def _put_before(app: "web.Application", guard: Guard) -> None:
    """Let the guard see every request first, those that no route serves too, and every
    answer last.
    """
    from aiohttp import web

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        why = guard.refusal(
            request.headers.get("Host", ""), request.headers.get("Origin"), request.path
        )
        if why:
            return web.Response(status=403, text=f"403: {why}\n")
        return await handler(request)

    async def sign(request: web.Request, response: web.StreamResponse) -> None:
        served = not guard.refusal(request.host, None, guard.address.removeprefix(guard.base))
        response.headers.update(
            guard.headers(request.host if served else f"{guard.host}:{guard.port}")
        )

    app.middlewares.append(guarded)
    app.on_response_prepare.append(sign)


def serve(host: str, port: int) -> int:
    """Serve until it is interrupted. Each page is a console of the engine that runs, or that the
    first of them starts; closing one stops nothing.
    """
    guard = Guard(host, port)
    before_web = sys.argv[1 : len(sys.argv) - 1 - sys.argv[::-1].index("web")]
    command = shlex.join(
        [sys.executable, "-m", "tui.cli", *before_web, "--engine", "child", "--set", TAKEN]
    )
    try:
        app = application(command, guard)
    except ImportError:
        say("flatout web: this needs textual-serve: pip install 'flatout[web]'", err=True)
        return 2
    from aiohttp import web

    def ready(*_: object) -> None:
        reveal(f"flatout web: {guard.address}")
        say("whoever has this address sees the account, and after :take trades it; ctrl-c ends it")
        if is_public(host):
            say(
                f"{host} can be reached by others than this machine, and nothing is encrypted on"
                " the way"
            )
        sys.stdout.flush()

    try:
        web.run_app(app, host=host, port=port, print=ready, access_log=None, shutdown_timeout=3.0)
    except OSError as error:
        say(
            f"flatout web: {guard.base} can't be served: {error.strerror or error}; name another"
            " --port",
            err=True,
        )
        return 2
    return 0


@click.command("web")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65_535))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Another address is served only when it is named here.",
)
@click.pass_context
def command(ctx: click.Context, port: int, host: str) -> None:
    """Serve the console to a browser on this machine (needs flatout[web])."""
    sys.exit(serve(host, port))
