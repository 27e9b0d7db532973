"""One party of the rival, SecretFlow's `spu` wheel, in its own interpreter: one JSON line asked, one answered.

Asked: {"rank", "addresses": [one a party], "mode", "input", "output"}; answered: {"seconds", "common", "peak_mib",
"cpu_s"}. Imports and connecting are not timed. The rival writes its log to standard output, so that is led elsewhere first.
"""

import json
import os
import resource
import sys
import time

_ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

import spu.libspu as lib  # noqa: E402 - it writes to standard output when it is loaded
from spu import psi  # noqa: E402 - as above

_ECDH = psi.PsiProtocol.PROTOCOL_ECDH
MODES = {
    "rr22": {"protocol": psi.PsiProtocol.PROTOCOL_RR22},
    "rr22-low-comm": {
        "protocol": psi.PsiProtocol.PROTOCOL_RR22,
        "rr22_params": psi.Rr22Rarams(low_comm_mode=True),
    },
    "kkrt": {"protocol": psi.PsiProtocol.PROTOCOL_KKRT},
    "ecdh-25519": {
        "protocol": _ECDH,
        "ecdh_params": psi.EcdhParams(curve=psi.EllipticCurveType.CURVE_25519),
    },
    "ecdh-3pc": {
        "protocol": psi.PsiProtocol.PROTOCOL_ECDH_3PC,
        "ecdh_params": psi.EcdhParams(curve=psi.EllipticCurveType.CURVE_25519),
    },
    "ecdh-npc": {
        "protocol": psi.PsiProtocol.PROTOCOL_ECDH_NPC,
        "ecdh_params": psi.EcdhParams(curve=psi.EllipticCurveType.CURVE_25519),
    },
    "kkrt-npc": {"protocol": psi.PsiProtocol.PROTOCOL_KKRT_NPC},
    "ecdh-fourq": {
        "protocol": _ECDH,
        "ecdh_params": psi.EcdhParams(curve=psi.EllipticCurveType.CURVE_FOURQ),
    },
}
MANY = 1 << 20


def run(asked: dict) -> dict:
    """One intersection, result to all."""
    description = lib.link.Desc()
    if len(asked["addresses"]) > 2:
        # With its default of 10 messages that nobody has taken yet, the mode for three parties waits for itself from 2^16 ids on (11
        # batches of 4096 and more): two of its phases share a channel, and each waits for the other. 0 means the default.
        description.throttle_window_size = MANY
    description.recv_timeout_ms = description.http_timeout_ms = 3_600_000
    for rank, address in enumerate(asked["addresses"]):
        description.add_party(f"p{rank}", address)
    link = lib.link.create_brpc(description, asked["rank"])
    config = psi.PsiExecuteConfig(
        protocol_conf=psi.PsiProtocolConfig(receiver_rank=0, broadcast_result=True, **MODES[asked["mode"]]),
        input_params=psi.InputParams(path=asked["input"], selected_keys=["id"], keys_unique=True),
        output_params=psi.OutputParams(path=asked["output"]),
    )
    begun = time.perf_counter()
    report = psi.psi_execute(config, link)
    seconds = time.perf_counter() - begun
    link.stop_link()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "common": report.intersection_count,
        "peak_mib": usage.ru_maxrss / 1024,
        "cpu_s": usage.ru_utime + usage.ru_stime,
    }


for line in sys.stdin:
    _ANSWERS.write(json.dumps(run(json.loads(line))) + "\n")
    _ANSWERS.flush()
