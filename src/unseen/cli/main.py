"""`unseen`: the commands, and what an error looks like.

Commands are named here and imported when they are called, so that `unseen --help` is there at once. Errors are
printed as what happened, why, and how to mend it, with the exit code of their class (docs/cli.md lists them).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError

from unseen import __version__

if TYPE_CHECKING:
    from unseen.core.errors import UnseenError

_INTERRUPTED = 130
_FUNCTION = {"list": "list_", "show": "show_"}  # where the command's name is taken in Python
_GROUPS: tuple[tuple[str, str, str], ...] = (
    ("node", "Make, run and look after this party's node.", "init run status backup restore"),
    ("peer", "Meet other organisations.", "invite inspect accept list remove"),
    ("asset", "The catalogue: own data sets, and terms that others offered.", "add list show offer remove"),
    (
        "contract",
        "Agree with the others on what is computed.",
        "draft propose list show sign refuse withdraw",
    ),
    ("job", "Run contracts, watch, and get results.", "start list show watch result artefacts cancel"),
    ("model", "The models that came of joint work.", "list show verify export"),
    ("stock", "Randomness made ahead with peers.", "list"),
    ("step", "The steps that are installed here.", "list show"),
    ("ledger", "Who recorded what.", "heads entries"),
    ("export", "Write results and evidence to files.", "result artefact evidence"),
)


def build() -> App:
    """The command tree; nothing of the commands is imported yet."""
    app = App(
        name="unseen",
        help="Compute together on data that nobody has to show (数据可用不可见).",
        version=__version__,
        help_format="plaintext",
        exit_on_error=False,
        print_error=False,
        result_action="return_value",
    )
    for name, text, commands in _GROUPS:
        group = App(name=name, help=text)
        for command in commands.split():
            group.command(f"unseen.cli.{name}:{_FUNCTION.get(command, command)}", name=command)
        app.command(group)
    token = App(name="token", help="Who may use this node's API and commands.")
    for command in ("add", "list", "remove"):
        token.command(f"unseen.cli.token:{_FUNCTION.get(command, command)}", name=command)
    app["node"].command(token)
    app.command(
        "unseen.cli.psi:psi", name="psi", help="Find the rows that two organisations' files have in common."
    )
    app.command("unseen.cli.psi:psi_keys", name="psi-keys", help="Make a key pair for `unseen psi`.")
    app.command("unseen.cli.audit:audit", name="audit", help="Check an evidence bundle offline.")
    app.command("unseen.cli.demo:demo", name="demo", help="Run a demonstration on this machine.")
    app.command("unseen.cli.relay:relay", name="relay", help="Join parties that can only dial out.")
    app.command("unseen.cli.completion:completion", name="completion", help="Install shell completion.")
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code."""
    as_json = "--json" in arguments
    try:
        code = build()(list(arguments))
        sys.stdout.flush()
    except CycloptsError as error:
        return report(_usage(error), as_json=as_json)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return _INTERRUPTED
    except BrokenPipeError:
        # the reader has seen enough; keep Python from flushing into the closed pipe at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - nobody shall see a traceback who did not ask for one
        return report(_known(error), as_json=as_json)
    return code if isinstance(code, int) else 0


def report(error: UnseenError, *, as_json: bool) -> int:
    """Print an error on standard error; gives the exit code."""
    if as_json:
        from unseen.api.wire import error_body  # noqa: PLC0415 - only when needed

        sys.stderr.write(json.dumps(error_body(error), ensure_ascii=False) + "\n")
    else:
        from unseen.cli.show import plain  # noqa: PLC0415 - only when needed

        where = ", ".join(
            f"{kind} {name}" for kind, name in (("party", error.party), ("step", error.step)) if name
        )
        sys.stderr.write(plain(f"Error: {error}" + (f"\nAt: {where}" if where else "")) + "\n")
    return error.exit_code


def _usage(error: CycloptsError) -> UnseenError:
    from unseen.core.errors import UsageError  # noqa: PLC0415 - only when needed

    chain = " ".join(("unseen", *(error.command_chain or ())))
    return UsageError(str(error), mend=f"see `{chain} --help`")


def _known(error: Exception) -> UnseenError:
    from unseen.core.errors import UnseenError  # noqa: PLC0415 - only when needed

    if isinstance(error, UnseenError):
        return error
    if os.environ.get("UNSEEN_DEBUG"):
        raise error
    return UnseenError(
        "unseen failed.",
        why=f"{type(error).__name__}: {error}",
        mend="this is a mistake in unseen: set UNSEEN_DEBUG=1 to see where, and report it",
    )


if __name__ == "__main__":
    main()
