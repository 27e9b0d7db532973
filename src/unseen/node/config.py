"""`node.toml`: everything the owner of a node decides, checked before anything starts.

All wrong fields are reported at once; an unknown key is refused together with the key that was probably meant.
Relative paths are relative to the file's folder.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from unseen.core.errors import UsageError
from unseen.core.ids import check_name

FILE_NAME = "node.toml"
_MAX_PORT = 65_535


def parse_address(address: str) -> tuple[str, int]:
    """Split `host:port` (IPv6 hosts in brackets).

    Raises
    ------
    ValueError
        It is not such an address.
    """
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"'{address}': write an IPv6 host in brackets, as in [::1]:7710")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > _MAX_PORT:
        raise ValueError(f"'{address}' is not host:port")
    return host, int(port)


def _address(address: str) -> str:
    parse_address(address)
    return address


def _proxy(proxy: str) -> str:
    scheme, _, rest = proxy.partition("://")
    if scheme != "http":
        raise ValueError("only HTTP CONNECT proxies are supported: write http://host:port")
    parse_address(rest.rstrip("/"))
    return proxy.rstrip("/")


def _party(name: str) -> str:
    try:
        return check_name(name, kind="party")
    except UsageError as error:
        raise ValueError(f"{error.what} {error.mend}") from error


Address = Annotated[str, AfterValidator(_address)]
Proxy = Annotated[str, AfterValidator(_proxy)]
PartyName = Annotated[str, AfterValidator(_party)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """Base: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LinkConfig(Section):
    """The port that faces other organisations.

    Attributes
    ----------
    listen
        Where to accept links; leave it out for a node that only dials out.
    public
        Addresses under which peers reach `listen`; they stand in our invitations. Empty: nobody can dial us.
    proxy
        HTTP CONNECT proxy for everything we dial.
    relay
        Where we meet peers that nobody can dial, if nobody can dial us either. Both need the same one.
    window_bytes
        How many bytes may be under way on a stream before the sender waits.
    reconnect_s
        How long a running task survives a cut connection.
    """

    listen: Address | None = None
    public: tuple[Address, ...] = ()
    proxy: Proxy | None = None
    relay: Address | None = None
    window_bytes: int = Field(default=1 << 20, ge=1 << 14)
    reconnect_s: Seconds = 120.0


class ApiConfig(Section):
    """The internal address for API and console. Port 0: any free one, written to `run/api.address` in the home."""

    listen: Address = "127.0.0.1:0"


class JobsConfig(Section):
    """How jobs run here.

    Attributes
    ----------
    silence_s
        A task fails when a peer says nothing for so long.
    attempts
        How often a task is tried before the job fails.
    scratch
        Folder of temporary files; leave it out for the system's, or the home's where the node is confined.
    scratch_bytes
        A run whose temporary files are expected to be larger is refused here, whatever the disk holds.
    memory_bytes
        A run that is expected to take more memory is refused here.
    """

    silence_s: Seconds = 600.0
    attempts: int = Field(default=5, ge=1, le=100)
    scratch: Path | None = None
    scratch_bytes: int | None = Field(default=None, ge=0)
    memory_bytes: int | None = Field(default=None, ge=0)


class KeepConfig(Section):
    """What stays when a job is over, besides what a party received: `intermediates`, its shares and tables."""

    intermediates: bool = False


class KeysConfig(Section):
    """How the identity key and stored artefacts are sealed: with a key file, or a passphrase read from a file.

    Both out: a key file `keyfile` in the home. Keep it elsewhere (a mounted secret) where you can.
    """

    keyfile: Path | None = None
    passphrase_file: Path | None = None


class ConfineConfig(Section):
    """Keep the node and its workers to its home and the system's own folders, by the kernel (Linux only).

    Attributes
    ----------
    on
        Whether; the node does not start where the system cannot.
    allow
        Further folders it may use: where the data files lie, and where results are to be exported to.
    """

    on: bool = False
    allow: tuple[Path, ...] = ()


class NodeConfig(Section):
    """Everything in `node.toml`; see the sections."""

    name: PartyName
    home: Path
    title: str = ""
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    allow_slow_unhardened_reference_kernels: bool = False
    link: LinkConfig = LinkConfig()
    api: ApiConfig = ApiConfig()
    jobs: JobsConfig = JobsConfig()
    keep: KeepConfig = KeepConfig()
    keys: KeysConfig = KeysConfig()
    confine: ConfineConfig = ConfineConfig()


def load(path: Path) -> NodeConfig:
    """Read and check `node.toml` (or the folder it lies in).

    Raises
    ------
    UsageError
        No such file, not TOML, or wrong fields: all of them are listed.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"There is no readable configuration at {file}.",
            why=str(error.strerror),
            mend="make one with `unseen node init`",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not TOML.", why=str(error)) from error
    return parse(values, base=file.parent.absolute(), source=str(file))


def parse(values: dict[str, Any], *, base: Path, source: str = FILE_NAME) -> NodeConfig:
    """Check the values of a configuration; relative paths are taken from `base`.

    Raises
    ------
    UsageError
        Wrong fields: all of them are listed.
    """
    try:
        config = NodeConfig.model_validate({"home": base, **values})
    except ValidationError as error:
        problems = tuple(_problem(item["loc"], item["type"], item["msg"]) for item in error.errors())
        raise UsageError(
            f"{source} has {len(problems)} mistake{'s' if len(problems) > 1 else ''}.",
            mend="correct them all; docs/node.md lists every setting",
            problems=problems,
        ) from error
    keys = config.keys
    if keys.keyfile and keys.passphrase_file:
        raise UsageError(
            f"{source} has 1 mistake.", problems=("keys: give either keyfile or passphrase_file, not both",)
        )
    fixed = {name: base / path for name, path in keys if path is not None}
    confine = {"allow": tuple(base / path.expanduser() for path in config.confine.allow)}
    jobs = config.jobs
    if jobs.scratch is not None:
        jobs = jobs.model_copy(update={"scratch": base / jobs.scratch.expanduser()})
    return config.model_copy(
        update={
            "home": base / config.home,
            "keys": keys.model_copy(update=fixed),
            "jobs": jobs,
            "confine": config.confine.model_copy(update=confine),
        }
    )


def _problem(location: tuple[int | str, ...], kind: str, message: str) -> str:
    where = ".".join(str(part) for part in location)
    if kind != "extra_forbidden":
        return f"{where}: {message.removeprefix('Value error, ')}"
    section: type[BaseModel] = NodeConfig
    for part in location[:-1]:
        inner = section.model_fields[str(part)].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    close = difflib.get_close_matches(str(location[-1]), list(section.model_fields), n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"known here: {', '.join(section.model_fields)}"
    return f"{where}: there is no such setting; {hint}"


def to_toml(config: NodeConfig) -> str:
    """The configuration as a file: what differs from the defaults, name first."""
    lines = [f"name = {_toml(config.name)}"]
    if config.title:
        lines.append(f"title = {_toml(config.title)}")
    if config.log_level != NodeConfig.model_fields["log_level"].default:
        lines.append(f"log_level = {_toml(config.log_level)}")
    if config.allow_slow_unhardened_reference_kernels:
        lines.append("allow_slow_unhardened_reference_kernels = true")
    for name in ("link", "api", "jobs", "keep", "keys", "confine"):
        section = getattr(config, name)
        values = section.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        if values:
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
    return str(value)
