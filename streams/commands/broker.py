"""`headrace broker`: a real Apache Kafka on this machine, for trials, tests and the demo."""

from pathlib import Path
from typing import Annotated

import typer

from streams.broker import Kafka
from streams.commands.terminal import tell

app = typer.Typer(
    help="Run a real Apache Kafka on this machine; for trials, not for production.",
    no_args_is_help=True,
)

_DEFAULT_PORT = 9092
_HERE = Path(".headrace/kafka")
_SIZES = (1, 3)

Directory = Annotated[Path, typer.Option("--dir", help="Where its data and logs live.")]


@app.command()
def start(
    nodes: Annotated[
        int | None, typer.Option(help="Brokers, 1 or 3; left out: as before, at first 1.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_533,
            help="The first broker's port, the others follow; left out: as before, at first 9092.",
        ),
    ] = None,
    clean: Annotated[bool, typer.Option("--clean", help="Delete earlier data first.")] = False,
    directory: Directory = _HERE,
) -> None:
    """Start Kafka and leave it running; it is fine if it runs already.

    The first start downloads Kafka, 45 MB. Data is kept until --clean.

    Examples:

      headrace broker start

      headrace broker start --nodes 3 --port 19092 --clean
    """
    if nodes is not None and nodes not in _SIZES:
        raise typer.BadParameter(f"{nodes}, but a local Kafka has 1 or 3", param_hint="--nodes")
    if clean:
        earlier = Kafka(directory)
        earlier.stop()
        earlier.wipe()
    known = Kafka(directory, nodes=nodes).status()
    if port is None and not known:
        port = _DEFAULT_PORT
    already = bool(known) and all(node.pid for node in known)
    if not already:
        tell("Starting Kafka ...")
    address = Kafka(directory, nodes=nodes, port=port).start(detach=True)
    typer.echo(f"Kafka is {'already ' if already else ''}running at {address}")


@app.command()
def stop(directory: Directory = _HERE) -> None:
    """Stop Kafka and keep its data; it is fine if nothing runs.

    Examples:

      headrace broker stop
    """
    typer.echo("Kafka has stopped" if Kafka(directory).stop() else "Kafka was not running")


@app.command()
def status(directory: Directory = _HERE) -> None:
    """Tell which brokers run, where, and where they log; fails unless all of them do.

    Examples:

      headrace broker status && headrace topics create
    """
    nodes = Kafka(directory).status()
    for node in nodes:
        state = f"running, pid {node.pid}" if node.pid else "stopped"
        typer.echo(f"node {node.number}  {node.address}  {state}  {node.log}")
    if not nodes:
        typer.echo(f"there is no Kafka in {directory}; `headrace broker start` makes one")
    if not nodes or not all(node.pid for node in nodes):
        raise typer.Exit(1)
