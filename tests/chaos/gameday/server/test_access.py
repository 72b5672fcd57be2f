"""Tokens, sessions, and how many of them."""

from __future__ import annotations

import pytest

from chaos.gameday.core.roles import Role
from chaos.gameday.server.access import MOST_PEOPLE, Access
from reports.shared.control_server import Refused

FEW = {Role.GAMEMASTER: 2, Role.RESPONDER: 3, Role.AUDIENCE: 3}


def refused(access: Access, token: str, name: str = "Ana", now_s: float = 0.0) -> Refused:
    with pytest.raises(Refused) as found:
        access.enter(token, name, now_s)
    return found.value


def test_each_role_has_a_token_of_256_bits_and_they_differ() -> None:
    tokens = [*Access().tokens.values(), *Access().tokens.values()]
    assert len(set(tokens)) == 2 * len(Role)
    assert {len(token) for token in tokens} == {43}


def test_several_people_enter_with_one_link_and_each_has_a_session() -> None:
    access = Access()
    token = access.tokens[Role.RESPONDER]
    (secret, ana), (other, ben) = access.enter(token, "Ana", 0.0), access.enter(token, "Ben", 0.0)
    assert secret != other
    assert ana.person.id != ben.person.id
    assert access.session(secret, 1.0) is ana
    assert ana.person.role is Role.RESPONDER
    assert (ana.seen_s, ben.seen_s) == (1.0, 0.0)


def test_no_secret_is_kept_or_shown() -> None:
    access = Access()
    secret, session = access.enter(access.tokens[Role.AUDIENCE], "Ana", 0.0)
    assert secret not in repr(session) + repr(vars(access))
    assert repr(session.digest) not in repr(session)


@pytest.mark.parametrize("token", ["", "wrong", "\ud800", "a" * 4000])
def test_a_wrong_token_is_refused_and_not_repeated(token: str) -> None:
    error = refused(Access(), token)
    assert error.status == 403
    assert not token or token not in error.why


def test_many_wrong_tokens_are_slowed_down_and_a_right_one_never_is() -> None:
    access = Access()
    statuses = [refused(access, f"guess {number}").status for number in range(50)]
    assert statuses.count(403) == 20
    late = refused(access, "guess")
    assert (late.status, late.response.headers["Retry-After"]) == (429, "1")
    access.enter(access.tokens[Role.RESPONDER], "Ana", 0.0)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("  Ana ", "Ana"),
        ("</script>", "</script>"),
        ("A\x00n\na", "A n a"),
        ("\u202eevil", "evil"),
        ("名" * 40, "名" * 40),
    ],
)
def test_a_name_is_text_on_one_line(name: str, shown: str) -> None:
    access = Access()
    assert access.enter(access.tokens[Role.AUDIENCE], name, 0.0)[1].person.name == shown


@pytest.mark.parametrize("name", ["", "   ", "\n\x00", "a" * 41, "x" * 1_000_000])
def test_a_name_that_is_empty_or_too_long_is_refused_with_the_limit(name: str) -> None:
    access = Access()
    error = refused(access, access.tokens[Role.AUDIENCE], name)
    assert error.status == 400
    assert "1 to 40 characters" in error.why
    assert len(access) == 0


def test_two_people_of_one_name_can_be_told_apart() -> None:
    access = Access()
    names = [access.enter(access.tokens[role], name, 0.0)[1].person.name for role, name in
             [(Role.RESPONDER, "Ana"), (Role.AUDIENCE, "ana"), (Role.GAMEMASTER, "Ana")]]  # fmt: skip
    assert names == ["Ana", "ana (2)", "Ana (3)"]


def test_too_many_sessions_of_a_role_end_the_one_idle_for_longest() -> None:
    access = Access(FEW)
    token = access.tokens[Role.AUDIENCE]
    secrets = [access.enter(token, f"v{number}", number * 10.0)[0] for number in range(3)]
    master, _ = access.enter(access.tokens[Role.GAMEMASTER], "Gus", 0.0)
    watching = access.session(secrets[0], 31.0)
    assert watching is not None
    access.enter(token, "v3", 40.0)
    assert access.session(secrets[1], 41.0) is None
    assert access.session(secrets[0], 41.0) is watching
    assert access.session(master, 41.0) is not None


def test_sessions_that_watch_are_not_ended_for_new_ones() -> None:
    access = Access(FEW)
    token = access.tokens[Role.AUDIENCE]
    for number in range(3):
        access.enter(token, f"v{number}", 0.0)[1].streams = 1
    error = refused(access, token, "late", 100.0)
    assert (error.status, error.response.headers["Retry-After"]) == (429, "30")
    access.enter(access.tokens[Role.RESPONDER], "Ana", 100.0)


def test_one_link_is_not_used_for_more_and_more_people_at_once() -> None:
    access = Access()
    token = access.tokens[Role.GAMEMASTER]
    for number in range(MOST_PEOPLE[Role.GAMEMASTER]):
        access.enter(token, f"g{number}", 0.0)
    assert refused(access, token, "more", 0.0).status == 429


def test_leaving_twice_is_harmless() -> None:
    access = Access()
    secret, session = access.enter(access.tokens[Role.AUDIENCE], "Ana", 0.0)
    access.leave(session)
    access.leave(session)
    assert access.session(secret, 0.0) is None
    assert len(access) == 0


def test_a_link_is_not_exchanged_without_end() -> None:
    access = Access(FEW)
    token = access.tokens[Role.GAMEMASTER]
    for number in range(10):
        access.enter(token, f"g{number}", number * 10.0)
    error = refused(access, token, "more", 1000.0)
    assert (error.status, "used 10 times" in error.why) == (429, True)
