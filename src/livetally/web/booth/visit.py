"""A visit to the booth: what a browser carries from page to page. Sealed, so that nobody can make one up; kept nowhere. Pure.

It holds the hash of the code, never the code: who finds the cookie afterwards cannot write down a letter's code from it, and it ends soon.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass

import orjson

LASTS_S = 60 * 60  # from the last page on; nobody is to be hurried, and a shared machine is to forget
COOKIE = "livetally_booth"
_MAC_BYTES = 32
_SEALED_CHARS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Visit:
    nonce: str  # no two visits are the same
    at_s: int  # since 1970: when the last page was given
    code_hash: bytes | None = None  # None: no code has been entered yet


class Seals:
    """With the key of the codes: every process that knows the codes knows the visits."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"livetally: visits to the booth", "sha256")

    def seal(self, visit: Visit) -> str:
        content = orjson.dumps([visit.nonce, visit.at_s, None if visit.code_hash is None else visit.code_hash.hex()])
        return base64.urlsafe_b64encode(hmac.digest(self._key, content, "sha256") + content).decode().rstrip("=")

    def open(self, sealed: str, now_s: float) -> Visit | None:
        """None if it is none of ours, or is over."""
        if len(sealed) > _SEALED_CHARS_MAX:
            return None
        try:
            raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        except (binascii.Error, ValueError):
            return None
        mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, hmac.digest(self._key, content, "sha256")):
            return None
        nonce, at_s, code_hash = orjson.loads(content)
        if not 0 <= now_s - at_s < LASTS_S:
            return None
        return Visit(nonce, at_s, None if code_hash is None else bytes.fromhex(code_hash))

    def form_token(self, visit: Visit) -> str:
        """What every form of a visit carries: the browser sends its cookie whoever made the form. It stays the same from page to page."""
        holder = visit.code_hash.hex() if visit.code_hash is not None else ""
        return hmac.digest(self._key, f"form\0{visit.nonce}\0{holder}".encode(), "sha256").hex()

    def is_form_of(self, visit: Visit, token: str) -> bool:
        return hmac.compare_digest(self.form_token(visit).encode(), token.encode())

    def place_of(self, election_id: str, voter_id: str, candidate_id: str) -> bytes:
        """By which a voter's candidates are sorted: another order for everybody, the same whenever they look, and nobody can work it out."""
        return hmac.digest(self._key, f"order\0{election_id}\0{voter_id}\0{candidate_id}".encode(), "sha256")
