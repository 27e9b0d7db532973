"""The server: address, start, stop, a port in use."""

from __future__ import annotations

import socket
import threading

import httpx
import pytest
from api_double import JOB, Double

from unseen.api.server import serve
from unseen.api.tokens import Tokens
from unseen.client.remote import RemoteNode
from unseen.core.errors import UnseenError, UsageError
from unseen.node.config import ApiConfig, NodeConfig
from unseen.node.home import Home


def _config(folder, listen="127.0.0.1:0"):
    config = NodeConfig(name="hospital", home=folder, api=ApiConfig(listen=listen))
    Home(folder).make()
    return config


def test_the_address_lives_as_long_as_the_server(tmp_path):
    config = _config(tmp_path)
    note = tmp_path / "run" / "api.address"
    with serve(Double(), config) as address:
        assert note.read_text().strip() == address
        assert httpx.get(f"http://{address}/health", trust_env=False).json()["status"] == "ok"
    assert not note.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}/health", trust_env=False)


def test_ipv6(tmp_path):
    try:
        with serve(Double(), _config(tmp_path, "[::1]:0")) as address:
            assert address.startswith("[::1]:")
            assert httpx.get(f"http://{address}/health", trust_env=False).is_success
    except UsageError as error:
        pytest.skip(f"no IPv6 here: {error.why}")


def test_a_port_in_use_is_one_clear_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UsageError, match=address) as caught, serve(Double(), _config(tmp_path, address)):
            raise AssertionError
    assert "port 0" in caught.value.mend
    assert not (tmp_path / "run" / "api.address").exists()


def test_an_error_in_the_block_stops_it_too(tmp_path):
    class BoomError(Exception):
        pass

    with pytest.raises(BoomError), serve(Double(), _config(tmp_path)) as address:
        raise BoomError
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}/health", trust_env=False)


def test_a_watcher_does_not_hold_up_the_end(tmp_path):
    config = _config(tmp_path)
    text = Tokens(tmp_path).add("owner", "owner").text
    node = Double()
    ended = threading.Event()
    began = threading.Event()

    def watch(address: str) -> None:
        try:
            began.set()
            list(RemoteNode(address, text).job_watch(JOB.id))
        except UnseenError:
            pass
        ended.set()

    with serve(node, config) as address:
        thread = threading.Thread(target=watch, args=(address,), daemon=True)
        thread.start()
        assert began.wait(5)
        RemoteNode(address, text).status()
        node.over.set()
    assert ended.wait(15)


def test_others_are_served_while_many_watch(tmp_path):
    config = _config(tmp_path)
    text = Tokens(tmp_path).add("owner", "owner").text
    node = Double()

    def watch(address: str) -> None:
        list(RemoteNode(address, text).job_watch(JOB.id))

    with serve(node, config) as address:
        threads = [threading.Thread(target=watch, args=(address,)) for _ in range(45)]
        for thread in threads:
            thread.start()
        with RemoteNode(address, text, timeout_s=10) as remote:
            for _ in range(5):
                assert remote.status().name == "hospital"
        node.over.set()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()


def test_an_address_left_by_a_killed_daemon_is_taken_away_first(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = _config(tmp_path, f"127.0.0.1:{taken.getsockname()[1]}")
        (tmp_path / "run" / "api.address").write_text("127.0.0.1:1\n")
        with pytest.raises(UsageError), serve(Double(), config):
            raise AssertionError
    assert not (tmp_path / "run" / "api.address").exists()
