"""Signing in and out, tokens, and what ends them; and that each leaves a trace, and no secret anywhere."""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from livetally.adapters.acts import Acts
from livetally.adapters.people import SESSION_LASTS, SESSION_RESTS, People
from livetally.adapters.postgres import Connection
from livetally.core.access import Role, csrf_token
from livetally.core.passwords import hash_password
from servers import Servers
from website import Credential, Site, add_person, served, session_of

PASSWORD = "a long enough one"
NAME = "ada"


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(servers: Servers, database_url: str, connection: Connection, clock: Clock) -> Iterator[Site]:
    People(connection).add_user(NAME, Role.OFFICIAL, None, hash_password(PASSWORD))
    with served(servers.kafka, database_url, now=clock) as site:
        yield site


def sign_in(site: Site, password: str = PASSWORD, name: str = NAME) -> requests.Response:
    return site.post("/session", json={"user_name": name, "password": password})


def session_in(response: requests.Response) -> Credential:
    return Credential(response.cookies["livetally_session"], "session")


def test_a_session_from_beginning_to_end(site: Site, connection: Connection) -> None:
    response = sign_in(site)
    assert response.status_code == 201
    cookie = response.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    session = session_in(response)
    assert response.json() == {"user_name": NAME, "role": "official", "elections": None, "csrf_token": csrf_token(session.text)}
    assert site.get("/session", session).json()["user_name"] == NAME
    assert site.ask("DELETE", "/session", headers={"Cookie": f"livetally_session={session.text}"}).status_code == 403  # no form of ours
    assert site.ask("DELETE", "/session", session).status_code == 204
    assert site.get("/session", session).status_code == 401
    assert [(act.who, act.what) for act in Acts(connection).newest(10)] == [(NAME, "sign out"), (NAME, "sign in")]


def test_name_and_password_are_refused_alike(site: Site) -> None:
    wrong, unknown = sign_in(site, "another password"), sign_in(site, name="grace")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert "Set-Cookie" not in wrong.headers


def test_a_session_ends_by_itself(site: Site, clock: Clock) -> None:
    session = session_in(sign_in(site))
    until = clock.now + SESSION_LASTS
    while clock.now < until - SESSION_RESTS:
        clock.now += SESSION_RESTS - timedelta(seconds=1)
        assert site.get("/session", session).status_code == 200, clock.now
    clock.now = until
    assert site.get("/session", session).status_code == 401
    resting = session_in(sign_in(site))
    clock.now += SESSION_RESTS
    assert site.get("/session", resting).status_code == 401


def test_who_signs_in_again_ends_the_session_before(site: Site) -> None:
    first = session_in(sign_in(site))
    body = {"user_name": NAME, "password": PASSWORD}
    second = session_in(site.post("/session", json=body, headers={"Cookie": f"livetally_session={first.text}"}))
    assert site.get("/session", first).status_code == 401
    assert site.get("/session", second).status_code == 200


def test_a_name_with_a_nul_is_no_name(site: Site) -> None:
    assert site.post("/login", data={"user_name": "a\0", "password": PASSWORD}).status_code == 422
    assert (
        site.post("/session", data=b'{"user_name": "\\ud800", "password": "x"}', headers={"Content-Type": "application/json"}).status_code
        == 422
    )


def test_another_password_ends_everything(site: Site, connection: Connection, clock: Clock) -> None:
    session = session_in(sign_in(site))
    token = Credential(site.post("/tokens", session, json={"label": "x"}).json()["token"])
    assert site.get("/session", token).status_code == 200
    People(connection).set_password(NAME, hash_password("quite another one"), clock.now)
    assert site.get("/session", session).status_code == site.get("/session", token).status_code == 401
    assert sign_in(site).status_code == 401
    assert sign_in(site, "quite another one").status_code == 201


def test_who_is_disabled_cannot_sign_in_and_stays_out(site: Site, connection: Connection, clock: Clock) -> None:
    session = session_in(sign_in(site))
    people = People(connection)
    people.set_disabled(NAME, is_disabled=True, now=clock.now)
    assert site.get("/session", session).status_code == 401
    assert sign_in(site).status_code == 401
    people.set_disabled(NAME, is_disabled=False, now=clock.now)
    assert site.get("/session", session).status_code == 401
    assert sign_in(site).status_code == 201


def test_a_role_that_was_taken_away_is_gone_at_once(site: Site, connection: Connection) -> None:
    admin = add_person(connection, "root", Role.ADMIN)
    assert site.get("/acts", admin).status_code == 200
    People(connection).set_role("root", Role.OBSERVER, None)
    assert site.get("/acts", admin).status_code == 403


def test_tokens(site: Site, connection: Connection, clock: Clock) -> None:
    session = session_in(sign_in(site))
    made = site.post("/tokens", session, json={"label": "the newspaper", "days": 7})
    assert made.status_code == 201
    token = Credential(made.json()["token"])
    assert site.get("/session", token).json()["csrf_token"] is None
    assert site.post("/tokens", token, json={"label": "another"}).json()["type"] == "urn:livetally:problem:needs-session"
    (listed,) = site.get("/tokens", token).json()
    assert listed["label"] == "the newspaper"
    assert "token" not in listed
    others = add_person(connection, "grace", Role.ADMIN)
    assert site.ask("DELETE", f"/tokens/{made.json()['number']}", others).status_code == 404  # somebody else's
    assert site.ask("DELETE", f"/tokens/{made.json()['number']}", session).status_code == 204
    assert site.get("/session", token).status_code == 401
    short = Credential(site.post("/tokens", session, json={"label": "short", "days": 1}).json()["token"])
    clock.now += timedelta(days=1)
    assert site.get("/session", short).status_code == 401
    assert [act.what for act in Acts(connection).newest(10)] == ["token add", "token revoke", "token add", "sign in"]


def test_a_token_is_no_session_and_a_session_no_token(site: Site, connection: Connection) -> None:
    token = add_person(connection, "grace", Role.ADMIN)
    session = session_of(connection, "grace")
    assert site.get("/session", Credential(token.text, "session")).status_code == 401
    assert site.get("/session", Credential(session.text, "token")).status_code == 401


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer ", "Basic YWRhOng=", "Bearer \u00e9", "bearer x y"])
def test_what_is_no_token_is_refused(site: Site, shown: str) -> None:
    response = site.get("/elections", headers={"Authorization": shown.encode("utf-8")})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_pages_work_without_scripts(site: Site) -> None:
    browser = requests.Session()
    page = browser.get(f"{site.url}/login?next=/elections", timeout=60)
    assert 'name="next" value="/elections"' in page.text
    wrong = browser.post(f"{site.url}/login", data={"user_name": '"><script>', "password": "wrong wrong"}, timeout=60)
    assert wrong.status_code == 401
    assert "<script>" not in wrong.text
    assert "wrong wrong" not in wrong.text
    account = browser.post(f"{site.url}/login", data={"user_name": NAME, "password": PASSWORD}, timeout=60)
    assert account.url == f"{site.url}/account"
    assert f"<h1>{NAME}</h1>" in account.text
    assert browser.post(f"{site.url}/logout", timeout=60).status_code == 403
    (form,) = re.findall(r'name="csrf_token" value="(\w+)"', account.text)
    out = browser.post(f"{site.url}/logout", data={"csrf_token": form}, timeout=60)
    assert out.url == f"{site.url}/login"
    assert browser.get(f"{site.url}/account", timeout=60).url == f"{site.url}/login"


@pytest.mark.parametrize("place", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb"])
def test_nobody_is_led_elsewhere(site: Site, place: str) -> None:
    response = site.post("/login", data={"user_name": NAME, "password": PASSWORD, "next": place})
    assert response.headers["Location"] == "/account"


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}])
def test_other_pages_sign_nobody_in(site: Site, headers: dict[str, str]) -> None:
    response = site.post("/login", data={"user_name": NAME, "password": PASSWORD}, headers=headers)
    assert response.status_code == 403
    assert "Set-Cookie" not in response.headers


def test_attempts_are_counted_by_address_and_by_name(servers: Servers, database_url: str, connection: Connection) -> None:
    People(connection).add_user(NAME, Role.OFFICIAL, None, hash_password(PASSWORD))
    proxied: dict[str, Any] = {"api_logins_per_minute": 3.0, "api_proxy_address": "127.0.0.1"}
    with served(servers.kafka, database_url, **proxied) as site:

        def attempt(name: str, address: str) -> int:
            body = {"user_name": name, "password": "some wrong one"}
            return site.post("/session", json=body, headers={"X-Forwarded-For": f"6.6.6.6, {address}"}).status_code

        assert [attempt(f"name {number}", "10.0.0.1") for number in range(4)] == [401, 401, 401, 429]
        assert [attempt(NAME.upper(), f"10.0.1.{number}") for number in range(4)] == [401, 401, 401, 429]
        last = site.post("/session", json={"user_name": NAME, "password": PASSWORD}, headers={"X-Forwarded-For": "10.0.9.9"})
        assert last.status_code == 429
        assert int(last.headers["Retry-After"]) > 0


def test_secrets_stay_out_of_the_database_the_log_and_answers(site: Site, connection: Connection, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    session = session_in(sign_in(site))
    token = site.post("/tokens", session, json={"label": "x"}).json()["token"]
    sign_in(site, "a wrong password")
    sign_in(site, PASSWORD[:5], name=PASSWORD)  # the password in the field of the name
    too_long = site.post("/session", json={"user_name": NAME, "password": PASSWORD * 100})
    assert too_long.status_code == 422
    assert PASSWORD not in too_long.text
    said = caplog.text + str(connection.execute("SELECT * FROM acts").fetchall()) + str(connection.execute("TABLE credentials").fetchall())
    said += str(connection.execute("SELECT query FROM pg_stat_activity").fetchall()) + str(connection.execute("TABLE users").fetchall())
    for secret in (PASSWORD, session.text, token, "a wrong password"):
        assert secret not in said


def test_behind_tls_the_cookie_says_so(servers: Servers, database_url: str, connection: Connection) -> None:
    People(connection).add_user(NAME, Role.OFFICIAL, None, hash_password(PASSWORD))
    with served(servers.kafka, database_url, api_behind_tls=True) as site:
        response = sign_in(site)
        assert response.headers["Set-Cookie"].startswith("__Host-livetally_session=")
        assert "Secure" in response.headers["Set-Cookie"]
        assert "max-age" in response.headers["Strict-Transport-Security"]
        session = Credential(re.split("[=;]", response.headers["Set-Cookie"])[1], "session", "__Host-livetally_session")
        assert site.get("/session", session).status_code == 200
        assert site.get("/session", Credential(session.text, "session")).status_code == 401


def test_an_admin_looks_after_people(site: Site, connection: Connection) -> None:
    admin = add_person(connection, "root", Role.ADMIN)
    new = {"user_name": "lin", "role": "official", "password": PASSWORD}
    assert site.post("/users", admin, json=new).status_code == 201
    assert site.post("/users", admin, json=new).status_code == 409
    assert site.post("/users", admin, json=new | {"user_name": "x", "password": "short"}).json()["field"] == "password"
    assert site.post("/users", admin, json=new | {"user_name": "x", "elections": ["nowhere"]}).status_code == 409
    session = session_in(sign_in(site, name="lin"))
    assert site.post("/users/lin/role", admin, json={"role": "observer"}).json()["role"] == "observer"
    assert site.get("/session", session).json()["role"] == "observer"
    assert site.post("/users/lin/disable", admin).json()["is_disabled"] is True
    assert site.get("/session", session).status_code == 401
    assert site.post("/users/lin/enable", admin).json()["is_disabled"] is False
    assert site.post("/users/lin/password", admin, json={"password": "quite another one"}).status_code == 200
    assert sign_in(site, name="lin").status_code == 401
    assert site.post("/users/nobody/disable", admin).status_code == 409
    whats = [act["what"] for act in site.get("/acts", admin).json()]
    assert whats == ["user password", "user enable", "user disable", "user role", "sign in", "user add"]
    assert PASSWORD not in site.get("/acts", admin).text
