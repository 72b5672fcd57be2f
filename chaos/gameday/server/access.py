"""Who may do what: a token for each role, exchanged for sessions. Pure: the caller says what time it is.

    token     one for each role, in the fragment of its link, which browsers never send; several people use it
    session   one for each person who entered; its id is a cookie that scripts cannot read

Both are 256 random bits. Only their SHA-256 is kept, and looked up: what a comparison takes tells nothing about them.
A wrong token is refused; many wrong ones only more slowly, and never a right one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from chaos.gameday.core.roles import Role
from chaos.gameday.server.bucket import Bucket
from chaos.gameday.server.once import Once
from chaos.gameday.server.room import Person
from reports.shared.control_server import Refused
from reports.shared.plain_text import printable_line

__all__ = ["MOST_PEOPLE", "NAME_CHARACTERS", "Access", "Session"]

NAME_CHARACTERS: Final = 40
MOST_PEOPLE: Final[Mapping[Role, int]] = {Role.GAMEMASTER: 20, Role.RESPONDER: 60, Role.AUDIENCE: 120}
"""Sessions of each role: who has one link cannot use up those of another."""

MOST_ENTRIES: Final = 5
"""Times `MOST_PEOPLE`: how often one link is exchanged in a game day, because the exercise keeps who entered."""

_TOKEN_BYTES: Final = 32
_WRONG = Bucket(per_s=2.0, burst=20)


@dataclass(slots=True, eq=False)
class Session:
    """Somebody who entered. `streams`: how many are open now. `seen_s`: when the last request came."""

    person: Person
    digest: bytes = field(repr=False)
    seen_s: float
    streams: int = 0
    actions: Bucket = field(default_factory=lambda: Bucket(per_s=20.0, burst=40))
    looks: Bucket = field(default_factory=lambda: Bucket(per_s=5.0, burst=10))
    openings: Bucket = field(default_factory=lambda: Bucket(per_s=2.0, burst=10))
    once: Once = field(default_factory=Once)


class Access:
    """Tokens and sessions of one game day."""

    def __init__(self, most: Mapping[Role, int] = MOST_PEOPLE) -> None:
        self.tokens: Final[Mapping[Role, str]] = {role: secrets.token_urlsafe(_TOKEN_BYTES) for role in Role}
        self._roles = {_digest(token): role for role, token in self.tokens.items()}
        self._most = most
        self._sessions: dict[bytes, Session] = {}
        self._wrong = Bucket(_WRONG.per_s, _WRONG.burst)
        self._entries = {role: Bucket(per_s=1.0, burst=most[role]) for role in Role}
        self._entered = dict.fromkeys(Role, 0)
        self._count = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def enter(self, token: str, name: str, now_s: float) -> tuple[str, Session]:
        """A new session, and its secret id. Raises Refused: a wrong token (403), a bad name (400), too many (429)."""
        role = self._roles.get(_digest(token))
        if role is None:
            wait_s = self._wrong.wait_s(now_s)
            if wait_s:
                raise Refused(429, "too many wrong links; try again in a moment", {"Retry-After": str(wait_s)})
            raise Refused(403, "this link is not one of this game day: ask for a new one, and open it as a whole")
        name = self._free_name(_clean(name))
        if self._entered[role] >= MOST_ENTRIES * self._most[role]:
            raise Refused(429, f"this link has been used {self._entered[role]} times; more is not possible")
        wait_s = self._entries[role].wait_s(now_s) or self._make_room(role)
        if wait_s:
            why = f"too many people enter with this link ({self._most[role]} at once); try again in a moment"
            raise Refused(429, why, {"Retry-After": str(wait_s)})
        self._count += 1
        self._entered[role] += 1
        secret = secrets.token_urlsafe(_TOKEN_BYTES)
        session = Session(Person(f"p{self._count}", name, role), _digest(secret), now_s)
        self._sessions[session.digest] = session
        return secret, session

    def session(self, secret: str, now_s: float) -> Session | None:
        """The session of a cookie's value."""
        session = self._sessions.get(_digest(secret))
        if session is not None:
            session.seen_s = now_s
        return session

    def leave(self, session: Session) -> None:
        """The session ends. Idempotent."""
        self._sessions.pop(session.digest, None)

    def _make_room(self, role: Role) -> int:
        """End the session of this role that is idle for longest, if there are too many. Returns seconds to wait."""
        same = [session for session in self._sessions.values() if session.person.role is role]
        if len(same) < self._most[role]:
            return 0
        idle = [session for session in same if not session.streams]
        if not idle:
            return 30
        self.leave(min(idle, key=lambda session: session.seen_s))
        return 0

    def _free_name(self, name: str) -> str:
        """The name, with a number where somebody here has it already: the record names people."""
        taken = {session.person.name.casefold() for session in self._sessions.values()}
        number, free = 1, name
        while free.casefold() in taken:
            number += 1
            free = f"{name} ({number})"
        return free


def _clean(name: str) -> str:
    cleaned = printable_line(name)
    if not 1 <= len(cleaned) <= NAME_CHARACTERS:
        raise Refused(400, f"name: write 1 to {NAME_CHARACTERS} characters; this has {len(cleaned)}")
    return cleaned


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
