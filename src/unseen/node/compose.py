"""The composition root: makes a node of its home, and joins its parts."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import sqlalchemy as sql

from unseen.core.errors import UsageError
from unseen.jobs.forkserver import ForkServer
from unseen.jobs.stocks import shelf
from unseen.kernels import backend
from unseen.link.front import Front
from unseen.node import backup as backups
from unseen.node import models as m
from unseen.node.board import Board
from unseen.node.catalogue import Catalogue
from unseen.node.config import NodeConfig, load, parse_address
from unseen.node.contracts import ContractDesk
from unseen.node.courier import Courier, Line
from unseen.node.database import Database, Transaction, jobs
from unseen.node.evidence import Ledger
from unseen.node.exports import Exports
from unseen.node.home import Home
from unseen.node.identity import Identity
from unseen.node.installed import InstalledSteps
from unseen.node.joint_models import JointModels
from unseen.node.keys import load_identity, make_identity, make_sealing_key, sealing_key
from unseen.node.mailroom import Mailroom
from unseen.node.metrics import Metrics
from unseen.node.operations import Node
from unseen.node.peers import PeerBook, PeerLine
from unseen.node.post import Post
from unseen.node.room import Room
from unseen.node.scheduler import Scheduler
from unseen.node.store import ArtefactStore
from unseen.node.work import PROGRESS, Workshop
from unseen.party.kept import Kept

_JOB_LIMIT_S = 24 * 3600.0


def initialise(config: NodeConfig) -> m.IdentityView:
    """Make the keys of a new home, offline."""
    Home(config.home).make()
    make_sealing_key(config)
    identity = make_identity(config)
    database = Database(Home(config.home).database)
    try:
        return PeerBook(database, identity, config.link.public).me()
    finally:
        database.close()


def build(home: Path, forkserver: ForkServer) -> Services:
    """Every part of the node whose home this is, joined, not yet started.

    Raises
    ------
    UsageError
        The configuration is wrong, the port is in use, or the fast kernels are missing and the owner has not
        allowed the slow ones.
    """
    config = load(home)
    _check_kernels(config)
    Home(config.home).make()
    key = sealing_key(config)
    return Services(config, load_identity(config, key), key, forkserver)


def _check_kernels(config: NodeConfig) -> None:
    if backend() == "reference" and not config.allow_slow_unhardened_reference_kernels:
        raise UsageError(
            "The fast kernels are not built.",
            why="the package was installed without a C++ compiler, or its build failed: only the slow NumPy reference is there",
            mend="install a compiler (Debian: apt install g++) and install unseen again; to run anyway, set "
            "allow_slow_unhardened_reference_kernels = true in node.toml",
        )


class Services:
    """The parts of one running node; :class:`unseen.node.operations.Node` asks them."""

    def __init__(self, config: NodeConfig, identity: Identity, key: bytes, forkserver: ForkServer) -> None:
        self.config = config
        self.identity = identity
        self.metrics = Metrics()
        self.home = Home(config.home)
        self.database = Database(self.home.database)
        self.mailroom = Mailroom(self.database)
        self.board = Board(self.database)
        self.peers = PeerBook(self.database, identity, config.link.public)
        self.steps = InstalledSteps()
        self.store = ArtefactStore(self.home, key)
        self.catalogue = Catalogue(
            identity.name, database=self.database, mailroom=self.mailroom, peers=self.peers
        )
        self.evidence = Ledger(
            identity, self.home, database=self.database, mailroom=self.mailroom, peers=self.peers
        )
        self.contracts = ContractDesk(
            identity,
            database=self.database,
            mailroom=self.mailroom,
            peers=self.peers,
            catalogue=self.catalogue,
            ledger=self.evidence,
            room=Room(identity.name, config.jobs),
        )
        self.models = JointModels(
            identity.name,
            store=self.store,
            ledger=self.evidence,
            desk=self.contracts,
            catalogue=self.catalogue,
        )
        self.front = Front(parse_address(config.link.listen)) if config.link.listen else None
        self.post = Post(identity, config, front=self.front, peers=self.peers)
        self.work = Workshop(
            identity,
            config,
            forkserver=forkserver,
            store=self.store,
            catalogue=self.catalogue,
            desk=self.contracts,
            ledger=self.evidence,
            post=self.post,
            board=self.board,
            metrics=self.metrics,
            models=self.models,
        )
        self.scheduler = Scheduler(
            identity.name,
            database=self.database,
            mailroom=self.mailroom,
            board=self.board,
            contracts=self.contracts,
            work=self.work,
            max_attempts=config.jobs.attempts,
            limit_s=_JOB_LIMIT_S,
        )
        self.exports = Exports(self.store, self.scheduler)
        self.couriers: dict[str, Courier] = {}
        self.started_at = datetime.now(UTC)
        self.node = Node(self)
        self._join()

    def _join(self) -> None:
        """Tell the parts of each other."""
        self.evidence.listen(parties=self.contracts.parties_of, changed=self.scheduler.decide_held)
        self.contracts.on_withdrawal(self.scheduler.cancel_all_of)
        self.contracts.on_models(self.models.check_use, self.models.made)
        self.work.listen(feed=self.scheduler.feed, tell=self._note)
        self.peers.listen(accepted=self._on_accepted, removed=self._on_removed, line=self._line)

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Open the port, take up the jobs, begin to bring the mail."""
        if self.front is not None:
            self.front.start()
        self._catch_up()
        self.scheduler.start_up()
        for peer in self.peers.list():
            self._begin_mail(peer.name)
        self.evidence.publish()

    def stop(self) -> None:
        """End everything in order; jobs go on after the next start."""
        self.scheduler.shut_down()
        self.work.stop()
        for courier in self.couriers.values():
            courier.stop()
        if self.front is not None:
            self.front.stop()
        self.board.close()
        self.evidence.close()
        self.database.close()

    def _catch_up(self) -> None:
        """A crash may have come between counting a run and writing that into the log."""
        query = sql.select(jobs.c.id, jobs.c.contract).where(jobs.c.state == "running")
        with self.database.read() as view:
            rows = view.execute(query).all()
        for row in rows:
            if self.scheduler.takes_part(row.id):
                self.contracts.note_run(row.contract, row.id, 0)
        self.contracts.catch_up()

    def _begin_mail(self, peer: str) -> None:
        if peer in self.couriers:
            self.couriers.pop(peer).stop()
        self.post.arrivals(peer)
        courier = Courier(peer, mailroom=self.mailroom, connector=self.post, knowledge=self.evidence)
        courier.take_notes({PROGRESS: self.work.on_note})
        self.couriers[peer] = courier
        courier.start()

    def _on_accepted(self, peer: str) -> None:
        self._begin_mail(peer)

    def _on_removed(self, transaction: Transaction, peer: str) -> None:
        self.mailroom.forget(transaction, peer)
        courier = self.couriers.pop(peer, None)
        if courier is not None:
            transaction.afterwards(courier.stop)

    def _line(self, peer: str) -> PeerLine:
        courier = self.couriers.get(peer)
        line = courier.line if courier else Line()
        return PeerLine(line.connected, line.last_seen, self.mailroom.counts().get(peer, 0), line.problem)

    def _note(self, peer: str, kind: str, body: bytes) -> None:
        courier = self.couriers.get(peer)
        if courier is not None:
            courier.note(kind, body)

    # ------------------------------------------------------------------ what people ask

    def stocks(self) -> tuple[m.StockView, ...]:
        """See :meth:`unseen.node.operations.Node.stock_list`."""
        return tuple(
            m.StockView(
                peer=item.peer,
                number=item.number,
                contents=item.contents,
                damaged=item.meter is None,
                restored=item.restored,
                **({} if item.meter is None else asdict(item.meter)),
            )
            for item in shelf(Kept(self.store.stocks, self.store.stocks_key, self.evidence.stocks_taken()))
        )

    def status(self) -> m.NodeStatus:
        """See :meth:`unseen.node.operations.Node.status`."""
        me = self.peers.me()
        return m.NodeStatus(
            name=me.name,
            fingerprint=me.fingerprint,
            version=_version(),
            backend=backend(),
            home=str(self.home.path),
            started_at=self.started_at,
            listen=self.config.link.listen,
            public=self.config.link.public,
            peers=self.peers.list(),
            jobs_running=tuple(job.id for job in self.scheduler.list() if job.state not in m.JOB_OVER),
            log_size=self.evidence.size,
            log_root=self.evidence.root,
            disk_free_bytes=shutil.disk_usage(self.home.path).free,
            refuses_work=self.evidence.behind,
        )

    def backup(self, path: str) -> m.BackupInfo:
        """See :meth:`unseen.node.operations.Node.backup`."""
        return backups.backup(self.home, self.database, path, log_size=self.evidence.size)


def _version() -> str:
    try:
        return version("unseen")
    except PackageNotFoundError:
        return "development"
