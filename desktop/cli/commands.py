"""The commands: what is typed, and which function carries it out.

Nothing heavy is imported here: `--help` must be there in an instant, and no command but the app
itself ever imports Qt.
"""

from __future__ import annotations

from typing import Any

import click

from desktop import __version__
from desktop.cli import carrying
from desktop.cli.carrying import Work, open_for_person
from desktop.cli.encodings import forgive_encodings
from desktop.cli.invocation import Invocation
from desktop.cli.options import (
    connection_options,
    endpoint_options,
    model_options,
    output_options,
    saved_options,
    terms_options,
)
from desktop.cli.output import Output
from desktop.core.errors import ExitStatus


def _currency(_context: click.Context, _option: click.Parameter, code: str | None) -> str | None:
    if code is not None and not (0 < len(code) <= 8 and code.isprintable()):
        raise click.BadParameter("a code such as CNY, or a sign")
    return code


host_argument = click.argument("host", required=False, metavar="[HOST]")


def run(argv: list[str]) -> int:
    """Carry out one command line and return its exit status."""
    forgive_encodings(json="--json" in argv)
    try:
        return int(main.main(argv, prog_name="paperkite", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return ExitStatus.USAGE
    except (click.Abort, KeyboardInterrupt):
        return ExitStatus.INTERRUPTED


def carry_out(typed: dict[str, Any], work: Work, *, interrupted: str = "interrupted") -> int:
    """Do the work of one command in the language that was typed here or before the command."""
    lang = typed.get("lang") or click.get_current_context().find_root().params["lang"]
    return carrying.carry_out({**typed, "lang": lang}, work, interrupted=interrupted)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="paperkite")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of the app.")
@click.option("--hidden", is_flag=True, help="Start the app in the tray, where there is one.")
@click.pass_context
def main(context: click.Context, lang: str | None, hidden: bool) -> int:
    """Bring a rented GPU host to a streaming reply, and stop it again.

    Without a command: the app. HOST is a saved name (see paperkite hosts), a saved group of hosts,
    an alias of your SSH config, user@host[:port], or the provider's whole line in quotes:
    "ssh -p 12345 root@connect.westb.seetacloud.com".
    """
    if context.invoked_subcommand is not None:
        return 0

    return open_for_person(lang, hidden=hidden)


@main.command()
@host_argument
@model_options
@terms_options
@connection_options
@endpoint_options
@output_options
def up(**typed: Any) -> int:
    """Bring the host to ready; a repeat joins.

    Ends when the model answers. Can be interrupted at any time: the host works on.
    """

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.endpoint import bring_up  # noqa: PLC0415

        return bring_up(call, output)

    return carry_out(typed, work)


@main.command()
@host_argument
@click.argument("prompt", required=False)
@connection_options
@endpoint_options
@output_options
def chat(prompt: str | None, **typed: Any) -> int:
    """Ask once, or talk in the terminal.

    With PROMPT one streamed reply on stdout ("-": the prompt comes from stdin).
    """

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.chat import chat_on  # noqa: PLC0415

        return chat_on(call, output, prompt)

    return carry_out(typed, work)


@main.command()
@host_argument
@connection_options
@endpoint_options
@output_options
def forward(**typed: Any) -> int:
    """Hold the endpoint open for other programs.

    Prints base URL and key; ends when interrupted.
    """

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.endpoint import hold  # noqa: PLC0415

        return hold(call, output)

    return carry_out(typed, work)


@main.command()
@host_argument
@connection_options
@output_options
def status(**typed: Any) -> int:
    """What runs on the host, and how far it is."""

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.host import show_status  # noqa: PLC0415

        return show_status(call, output)

    return carry_out(typed, work)


@main.command()
@host_argument
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come.")
@click.option("--task", default="", metavar="NAME", help="Only this task's log.")
@click.option("--lines", default=200, type=click.IntRange(1, 100_000), show_default=True)
@connection_options
@output_options
def logs(follow: bool, task: str, lines: int, **typed: Any) -> int:
    """The run's logs: of every task, or of one."""

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.host import show_logs  # noqa: PLC0415

        return show_logs(call, output, task=task, lines=lines, follow=follow)

    return carry_out(typed, work)


@main.command()
@host_argument
@model_options
@connection_options
@output_options
def doctor(**typed: Any) -> int:
    """Would the model run on this host?

    Says what the host has, which engine and context fit, or why not; nothing is installed.
    """

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.host import examine  # noqa: PLC0415

        return examine(call, output)

    return carry_out(typed, work)


@main.command()
@host_argument
@click.option(
    "--power-off",
    is_flag=True,
    help="Then power the host off, where that is known to end the bill, and see that it is off.",
)
@click.option(
    "--discard-partial",
    is_flag=True,
    help="Then remove what is half fetched and half installed.",
)
@connection_options
@output_options
def down(power_off: bool, discard_partial: bool, **typed: Any) -> int:
    """Stop everything of ours on the host.

    The rental itself goes on until the host is powered off.
    """

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.host import stop  # noqa: PLC0415

        return stop(call, output, switch_off=power_off, discard=discard_partial)

    interrupted = "power-off-unseen" if power_off else "interrupted"
    return carry_out(typed, work, interrupted=interrupted)


@main.command()
@click.option("--down", "stop_only", is_flag=True, help="Stop what an earlier rehearsal left.")
@click.option("--keep", is_flag=True, help="Leave the engine running; the next rehearsal joins it.")
@click.option("--terminal", is_flag=True, help="In the terminal, even where there is a screen.")
@click.option("--prompt", help="What to ask the model.")
@output_options
def rehearse(**typed: Any) -> int:
    """The whole job on this computer, for free.

    A loopback host, a real engine, a real small model.
    """
    extra = {name: typed.pop(name) for name in ("stop_only", "keep", "terminal", "prompt")}

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.rehearse import rehearse_here  # noqa: PLC0415

        return rehearse_here(call, output, **extra)

    return carry_out(typed, work, interrupted="rehearsal-interrupted")


@main.command("desktop-entry")
@click.option("--remove", is_flag=True, help="Take it out of the menu again.")
@output_options
def list_in_menu(remove: bool, **typed: Any) -> int:
    """Put the app into the menu of a Linux desktop, for this user."""

    def work(_call: Invocation, output: Output) -> int:
        from desktop.cli import menu  # noqa: PLC0415

        return menu.list_in_menu(output, remove=remove)

    return carry_out(typed, work)


@main.group(invoke_without_command=True)
@output_options
@click.pass_context
def hosts(context: click.Context, /, **typed: Any) -> int:
    """The hosts that have a name: list, save, forget.

    Without a command: the list.
    """
    if context.invoked_subcommand is not None:
        return 0

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.hosts import list_hosts  # noqa: PLC0415

        return list_hosts(call, output)

    return carry_out(typed, work)


@hosts.command("save")
@click.argument("name")
@click.argument("line")
@click.option(
    "--rate", type=click.FloatRange(0, 1_000_000), metavar="N", help="Of the rental, an hour."
)
@click.option("--currency", metavar="CODE", callback=_currency, help="Of the rate, such as CNY.")
@click.option("--default", is_flag=True, help="The host that is meant where none is named.")
@saved_options
@output_options
def save(**typed: Any) -> int:
    """Save a host under NAME.

    LINE is what your provider's console shows, or any other form that names a host. Where NAME is
    there already, LINE and the options that are given are changed.
    """
    entry = {key: typed.pop(key) for key in ("name", "line", "rate", "currency", "default")}

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.hosts import Entry, save_host  # noqa: PLC0415

        return save_host(call, output, Entry(**entry))

    return carry_out(typed, work)


@hosts.command()
@click.argument("name")
@output_options
def forget(name: str, **typed: Any) -> int:
    """Forget the host NAME.

    Nothing is stopped: what runs there goes on.
    """

    def work(call: Invocation, output: Output) -> int:
        from desktop.cli.hosts import forget_host  # noqa: PLC0415

        return forget_host(call, output, name)

    return carry_out(typed, work)
