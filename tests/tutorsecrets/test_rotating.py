"""Rotating: whenever it is interrupted, the next run brings it to the same end."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from tutor.exceptions import TutorError
from tutor.types import Config
from tutorplatform.errors import ConfigError, DeployError
from tutorplatform.manifests import Manifest
from tutorsecrets.deploying.session import Session
from tutorsecrets.deploying.tasks import Task
from tutorsecrets.managing import elsewhere, inspection, rotating, upkeep
from tutorsecrets.managing.journal import Journal
from tutorsecrets.stores import entries
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import token
from tutorsecrets.typed import Typed

KEY, SECRET = "OPENEDX_MYSQL_PASSWORD", "CMS_OAUTH2_SECRET"
OLD, NEW = "acmeopenedx", "acmeopenedx_2"
CONFIG = {
    "K8S_NAMESPACE": "acme",
    "OPENEDX_MYSQL_USERNAME": OLD,
    "OPENEDX_MYSQL_DATABASE": "acmeopenedx",
    KEY: token(KEY),
    SECRET: token(SECRET),
}
# More than happen in a whole rotation.
MOMENTS = 24
NEVER = -1
VALUES = {KEY: "old-password", SECRET: "old-secret", "SECRETS_HASH_KEY": "k"}
CREATION = re.compile(r"ALTER USER '(\w+)'@'%' IDENTIFIED BY '([^']+)'")
REMOVAL = re.compile(r"DROP USER IF EXISTS '(\w+)'@'%'")
CHANGE = re.compile(
    r'--user="(\w+)" --password="([^"]+)"[^\n]*--execute="ALTER USER USER\(\) IDENTIFIED BY '
    r"'([^']+)' REPLACE '([^']+)'\""
)


class CutOffError(Exception):
    """As if the machine went away."""


def yes(_question: str) -> bool:
    return True


class KnownSession(Session):
    """A session whose configuration is config.yml and nothing else."""

    @cached_property
    def config(self) -> Config:
        config: Config = yaml.safe_load(Path(self.root, "config.yml").read_text())
        return config

    @cached_property
    def rendered(self) -> list[Manifest]:
        def workload(kind: str, name: str, value: str) -> Manifest:
            pod = {"containers": [{"name": "c", "env": [{"name": "E", "value": value}]}]}
            spec: Manifest = {"template": {"spec": pod}}
            spec = {"jobTemplate": {"spec": spec}} if kind == "CronJob" else spec
            return {"kind": kind, "metadata": {"name": name}, "spec": spec}

        return [
            workload("Deployment", "lms", token(KEY)),
            workload("CronJob", "nightly", token(KEY)),
            workload("StatefulSet", "cms", token(SECRET)),
        ]

    @cached_property
    def tasks(self) -> dict[str, list[Task]]:
        return {"lms": [("lms", token(SECRET))]}


class World:
    """A store, a MySQL server and pods. After `moments` more of what happens, it is interrupted.

    It is the store and the operations of the rotations in it.
    """

    title = "secret openedx/acme"
    region = "eu-west-1"

    def __init__(self, root: Path, *, made: bool = False) -> None:
        """With users that are `made`, it is a server that others share."""
        self.root = root
        shared = {"AWS_MYSQL": {}, "RUN_MYSQL": False} if made else {}
        (root / "config.yml").write_text(yaml.safe_dump({**CONFIG, **shared}))
        self.typed = Typed()
        self.stored = dict(VALUES)
        self.mysql = dict.fromkeys([OLD, NEW] if made else [OLD], "old-password")
        self.made = made
        self.pods = {(OLD, "old-password")}
        self.deployed: list[list[str]] = []
        self.initialised: list[str] = []
        self.longest = 65536
        self.moments = NEVER
        self.answers = True

    def session(self) -> KnownSession:
        # Nothing here asks the cluster.
        cluster: Any = None
        return KnownSession(str(self.root), lambda _: self, self.typed, cluster)

    def rotate(self, *keys: str, ask: Callable[[str], bool] = yes) -> None:
        rotating.rotate(self.session(), [*keys], ask, self)

    def interrupt(self, *keys: str) -> Journal:
        """Begin a rotation, and leave it when there is a new user."""
        self.moments = 4
        with pytest.raises(CutOffError):
            self.rotate(*keys)
        unfinished = rotating.pending(self.session())
        assert unfinished
        return unfinished

    @property
    def user(self) -> str:
        return str(self.session().config["OPENEDX_MYSQL_USERNAME"])

    def happens(self) -> None:
        """One more moment, at which everybody must be able to work, whoever deploys."""
        for user, password in self.pods:
            assert self.mysql.get(user) == password
        try:
            entries.require_users(self.session().config, self.stored.get(entries.USERS))
        except ConfigError:
            pass
        else:
            assert self.mysql.get(self.user) == self.stored[KEY]
        if self.moments == 0:
            self.moments = NEVER
            raise CutOffError
        self.moments -= 1

    # The store, one entry after the other, like Parameter Store

    def read(self, _references: Mapping[str, str]) -> Content:
        return Content(dict(self.stored))

    def write(self, changes: Mapping[str, str], *, keep_existing: bool = False) -> list[str]:
        assert not keep_existing, "a rotation replaces values"
        for value in changes.values():
            if len(value) > self.longest:
                raise ConfigError("store", "would have more bytes", "choose a shorter value")
        for key, value in changes.items():
            self.happens()
            self.stored[key] = value
        self.happens()
        return list(changes)

    def deviations(self) -> list[tuple[str, str]]:
        return []

    # The operations

    def require_cluster(self) -> None:
        if not self.answers:
            raise TutorError("no answer")

    def require_users(self) -> None:
        # Every job is deployed, and refused with another user's password.
        entries.require_users(self.session().config, self.stored.get(entries.USERS))

    def run_sql(self, script: str) -> None:
        self.require_users()
        self.happens()
        for user, password in CREATION.findall(script):
            self.mysql[user] = self.typed.lookup(password)
        for user in REMOVAL.findall(script):
            self.mysql.pop(user, None)
        for user, has, gets, replaced in CHANGE.findall(script):
            assert replaced == has
            password = self.value(gets)
            if user not in self.mysql:
                raise TutorError(f"Job failed: {user} cannot log in")
            assert self.mysql[user] in (self.value(has), password), "nobody can log in"
            self.mysql[user] = password
        self.happens()

    def value(self, text: str) -> str:
        return self.stored[KEY] if text == token(KEY) else self.typed.lookup(text)

    def save_settings(self, changes: Mapping[str, str]) -> None:
        self.happens()
        config = {**self.session().config, **changes}
        (self.root / "config.yml").write_text(yaml.safe_dump(config))
        self.happens()

    def deploy(self, workloads: Collection[str]) -> None:
        self.require_users()
        self.happens()
        self.pods.add((self.user, self.stored[KEY]))
        self.deployed.append([*workloads])
        self.happens()

    def initialise(self, applications: Iterable[str]) -> None:
        self.require_users()
        self.happens()
        self.initialised += applications
        self.happens()

    def wait_for_old_pods(self, keys: Collection[str]) -> None:
        assert list(keys) == [KEY]
        self.happens()
        self.pods = {(self.user, self.stored[KEY])}
        self.happens()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(params=[False, True], ids=["administrator", "users of a bootstrap"])
def any_world(tmp_path: Path, request: pytest.FixtureRequest) -> World:
    return World(tmp_path, made=request.param)


def require_rotated(world: World) -> None:
    """Everything is as after a rotation that nobody has interrupted."""
    password = world.stored[KEY]
    assert password != "old-password"
    assert world.stored[SECRET] != "old-secret"
    users = [OLD, NEW] if world.made else [NEW]
    assert world.mysql == dict.fromkeys(users, password)
    assert world.pods == {(NEW, password)}
    assert world.user == NEW
    assert json.loads(world.stored[entries.USERS]) == {"OPENEDX_MYSQL_USERNAME": NEW}
    assert world.stored[entries.PENDING] == "{}"
    assert world.deployed[-1] == ["cronjob/nightly", "deployment/lms", "statefulset/cms"]
    assert world.initialised[-1] == "lms"


def test_a_rotation_that_nobody_interrupts(any_world: World) -> None:
    any_world.moments = MOMENTS
    any_world.rotate(KEY, SECRET)
    require_rotated(any_world)
    # Or the test below would not get to the end of it.
    assert any_world.moments > 0


def test_users_of_a_bootstrap_take_turns_without_an_administrator(tmp_path: Path) -> None:
    """There and back: between rotations both have the same password."""
    world = World(tmp_path, made=True)
    for user in (NEW, OLD):
        world.rotate(KEY)
        assert world.user == user
        assert world.mysql == dict.fromkeys([OLD, NEW], world.stored[KEY])


def test_without_its_second_user_a_rotation_waits_for_a_bootstrap(tmp_path: Path) -> None:
    """Which goes on, although the rotation has begun: nobody uses its values yet."""
    world = World(tmp_path, made=True)
    del world.mysql[NEW]
    with pytest.raises(TutorError, match="cannot log in"):
        world.rotate(KEY)
    assert {key: world.stored[key] for key in VALUES} == VALUES
    secret = {"kind": "Secret", "metadata": {"name": "b"}, "stringData": {"p": token(KEY)}}
    [filled] = elsewhere.filled(world.session(), [secret])
    world.mysql[NEW] = b64decode(filled["data"]["p"]).decode()
    world.rotate()
    assert world.user == NEW
    assert world.mysql == dict.fromkeys([OLD, NEW], world.stored[KEY])


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("again", [NEVER, 7])
def test_whenever_it_is_interrupted_it_goes_on(moment: int, again: int, any_world: World) -> None:
    """Once or twice, and with the same values; nobody is without a database in between."""
    world = any_world
    begun: set[str] = set()
    for moments in (moment, again, NEVER):
        unfinished = rotating.pending(world.session())
        begun |= {unfinished.values[KEY]} if unfinished else set()
        if unfinished or entries.PENDING not in world.stored:
            world.moments = moments
            with suppress(CutOffError):
                world.rotate(*([] if unfinished else [KEY, SECRET]))
    require_rotated(world)
    assert begun <= {world.stored[KEY]}


@pytest.mark.parametrize("answer", [True, False])
def test_what_is_unfinished_comes_first(
    answer: bool, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """After it has been shown and confirmed; then what was asked for, confirmed as well."""
    world.interrupt(KEY)
    before = dict(world.stored)
    asked: list[str] = []

    def ask(_question: str) -> bool:
        asked.append(" ".join("".join(capsys.readouterr()).split()))
        return answer

    if answer:
        world.rotate(SECRET, ask=ask)
        require_finished(world, [KEY, SECRET])
        assert f"kept beside the old ones: {SECRET}" in asked[1]
    else:
        with pytest.raises(click.Abort):
            world.rotate(SECRET, ask=ask)
        assert world.stored == before
    assert f"The rotation of {KEY} was interrupted. It is finished first" in asked[0]
    assert f"after it comes {SECRET}" in asked[0]
    assert f"MySQL: {NEW} is made with the rights of {OLD}" in asked[0]


def require_finished(world: World, keys: list[str]) -> None:
    assert rotating.pending(world.session()) is None
    assert not [key for key in keys if world.stored[key] == VALUES[key]]


def test_the_one_that_is_unfinished_is_not_begun_anew(world: World) -> None:
    """Whoever names it again means that one."""
    unfinished = world.interrupt(KEY)
    world.rotate(KEY)
    assert world.stored[KEY] == unfinished.values[KEY]
    assert world.user == NEW


def test_without_a_name_there_is_nothing_to_begin(world: World) -> None:
    with pytest.raises(ConfigError, match="no setting is named"):
        world.rotate()


def test_what_does_not_fit_changes_nothing(world: World) -> None:
    """The store is asked before anybody else."""
    world.longest = 100
    with pytest.raises(ConfigError, match="rotate fewer at once; nothing has changed"):
        world.rotate(KEY, SECRET)
    assert world.stored == VALUES
    assert world.mysql == {OLD: "old-password"}


def test_an_old_configuration_takes_nobodys_password_away(world: World) -> None:
    """The user that it does not know of is the one in use."""
    world.rotate(KEY)
    (world.root / "config.yml").write_text(yaml.safe_dump(CONFIG))
    before = dict(world.mysql)
    with pytest.raises(ConfigError, match=r"take the newest config\.yml"):
        world.rotate(KEY)
    assert world.mysql == before


def test_a_server_that_refuses_leaves_the_rotation_for_later(world: World) -> None:
    """A job that fails is no different from an interruption."""

    class Refusing(World):
        def run_sql(self, script: str) -> None:
            raise TutorError("Job mysql-job failed.")

    refusing = Refusing(world.root)
    with pytest.raises(TutorError):
        refusing.rotate(KEY)
    assert {key: refusing.stored[key] for key in VALUES} == VALUES
    assert rotating.pending(refusing.session())


@pytest.mark.parametrize("entry", [entries.PENDING, entries.USERS])
def test_a_broken_entry_stops_it(entry: str, world: World) -> None:
    world.stored[entry] = '["s3cret"]'
    with pytest.raises(DeployError, match=f"entry {entry} of the store") as raised:
        world.rotate(KEY)
    assert "s3cret" not in str(raised.value)
    assert world.mysql == {OLD: "old-password"}


def test_a_list_never_shows_a_journal(world: World) -> None:
    unfinished = world.interrupt(KEY)
    rows = upkeep.listed(world.session())
    assert [row.key for row in rows] == [SECRET, KEY, "SECRETS_HASH_KEY"]
    assert not [value for value in unfinished.values.values() if value in str(rows)]


def test_check_says_what_is_unfinished(world: World) -> None:
    """With the command that goes on."""
    world.interrupt(KEY)
    [found] = inspection.unfinished(world.title, world.stored)
    assert found == inspection.Finding(
        "secret openedx/acme",
        f"the rotation of {KEY} is not finished",
        "run `tutor secrets rotate`",
    )
    world.rotate()
    assert list(inspection.unfinished(world.title, world.stored)) == []
    [found] = inspection.unfinished(world.title, {entries.PENDING: "s3cret"})
    assert found.where == "entry SECRETS_ROTATION of the store"
    assert "s3cret" not in str(found)


def test_without_a_cluster_nothing_begins(tmp_path: Path) -> None:
    """The store would have new values that nobody can take into use."""
    world = World(tmp_path)
    world.answers = False
    with pytest.raises(TutorError):
        world.rotate(SECRET)
    assert world.stored == VALUES
