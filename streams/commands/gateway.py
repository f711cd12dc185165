"""`headrace gateway`: the HTTP gateway; `headrace gateway-key`: a key to call it."""

from typing import Annotated, Any

import typer

from streams.commands.terminal import tell
from streams.settings import Settings


def gateway(
    *,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on, before HEADRACE_GATEWAY_HOST.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port, before HEADRACE_GATEWAY_PORT.", min=1, max=65_535),
    ] = None,
) -> None:
    """Run the HTTP gateway: take events, and answer with recommendations and rankings.

    Its API is described at /docs, and in docs/gateway.md. On an address that others can reach it
    needs keys: HEADRACE_GATEWAY_KEYS, made by `headrace gateway-key`. Run several behind a load
    balancer to share the load; each needs a HEADRACE_GATEWAY_DIR of its own. SIGTERM stops it
    cleanly.

    Examples:

      headrace gateway

      HEADRACE_BROKER=kafka-1:9092 headrace gateway --host 0.0.0.0 --port 8080
    """
    from streams.allocator import give_memory_back

    give_memory_back()  # before the large libraries allocate
    from streams.gateway.serve import run

    given: dict[str, Any] = {"gateway_host": host, "gateway_port": port}
    run(Settings(**{name: value for name, value in given.items() if value is not None}))


def gateway_key(
    name: Annotated[str, typer.Argument(help="Whose it is: letters, digits, . _ -")],
    *,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", "-s", help="read, write or admin; repeatable; else read, write."),
    ] = None,
) -> None:
    """Make a key to call the gateway with.

    The key goes to standard output, for who calls; it is shown this once. Its hash, which is what
    HEADRACE_GATEWAY_KEYS holds, goes to standard error.

    read gets lists, rankings and metrics; write sends events; admin may do all, and change items
    and forget users. The key in a shop's pages is for everybody to see: let it only write.

    Examples:

      headrace gateway-key backend

      headrace gateway-key pages --scope write
    """
    from streams.gateway.keys import new_key

    made = new_key(name, scope or ["read", "write"])
    tell(f"HEADRACE_GATEWAY_KEYS={made.setting}")
    typer.echo(made.secret)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(gateway)
    app.command("gateway-key")(gateway_key)
