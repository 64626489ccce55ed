"""``python -m heygem cluster status``: the nodes of the Ray cluster, and whether each may work for this machine."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heygem.errors import ClusterError, Text
from heygem.settings import Settings


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "cluster",
        help="look at the Ray cluster",
        description="Show the nodes of the cluster that HEYGEM_RAY_ADDRESS names, or auto, and whether each has the "
        "code and weights of this machine. Exit status 0: all may work; 1: one was refused; 2: there is no cluster.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("what", choices=("status",), help="what to do")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Look at every node.

    Returns:
        0 if all of them may work, else 1.

    Raises:
        ClusterError: Ray is not installed, or the cluster cannot be reached.
    """
    from heygem.cluster.status import LOCAL, look_at_nodes

    if settings.ray_address == LOCAL:
        raise ClusterError(
            Text("local 集群只属于启动它的服务。", "A local cluster belongs to the server that started it."),
            hint=Text("请看该服务的页面或 /metrics。", "See that server's page, or its /metrics."),
            code="cluster_local",
        )
    table = Table("节点 node", "CPU", "GPU", "状态 state")
    nodes = look_at_nodes(settings)
    for node, refused in nodes:
        state = f"[red]{escape(str(refused))}[/red]" if refused else "[green]可用 may work[/green]"
        table.add_row(node.address, f"{node.cpus:g}", str(node.gpus), state)
    Console().print(table)
    return 1 if any(refused for _, refused in nodes) else 0
