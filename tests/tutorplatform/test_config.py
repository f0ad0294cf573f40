"""Settings are read into dataclasses, and every mistake is named by its full path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from tutorplatform import config
from tutorplatform.config import Between, Form, OneOf
from tutorplatform.errors import ConfigError

Host = Annotated[str, Form(r"[a-z.]+", "a host name", "db.acme.internal")]


@dataclass(frozen=True)
class Pool:
    size: Annotated[int, Between(1, 9)] = 3


@dataclass(frozen=True)
class Store:
    host: Host = ""
    hosts: tuple[Host, ...] = ()
    secure: bool = True
    pool: Pool = Pool()


@dataclass(frozen=True)
class Settings:
    label: str = "none"
    kind: Annotated[str, OneOf(("big", "small"))] = "big"
    names: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    store: Store = Store()


def read(**settings: Any) -> Settings:
    return config.read(Settings, settings, "SHOP_")


def test_nothing_set_gives_the_defaults() -> None:
    """An empty configuration, or one that speaks of other things, is no error."""
    assert read() == Settings()
    assert read(LMS_HOST="learn.acme.test") == Settings()


def test_a_mapping_holds_only_differences() -> None:
    """What is not in a mapping keeps its default, at any depth."""
    settings = read(
        SHOP_STORE={"hosts": ["a.b", "c.d"], "secure": False, "pool": {"size": 9}},
        SHOP_LABEL="x",
    )
    assert settings == Settings("x", store=Store(hosts=("a.b", "c.d"), secure=False, pool=Pool(9)))


def test_tutor_gets_the_defaults_in_its_own_form() -> None:
    """An empty mapping stands for "all defaults", and reads back as them."""
    defaults = config.defaults(Settings, "SHOP_")
    assert defaults == {
        "SHOP_LABEL": "none",
        "SHOP_KIND": "big",
        "SHOP_NAMES": [],
        "SHOP_TAGS": {},
        "SHOP_STORE": {},
    }
    assert read(**defaults) == Settings()


def test_a_mapping_may_have_keys_of_the_operators_own() -> None:
    """Tags, for example."""
    assert read(SHOP_TAGS={"team": "learning"}).tags == {"team": "learning"}


def test_empty_text_is_not_set() -> None:
    """So that a value can be taken back."""
    assert read(SHOP_STORE={"host": ""}) == Settings()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param(
            {"SHOP_STROE": {}},
            "SHOP_STROE: there is no such setting; "
            "use one of SHOP_KIND, SHOP_LABEL, SHOP_NAMES, SHOP_STORE, SHOP_TAGS",
            id="unknown setting",
        ),
        pytest.param(
            {"SHOP_STORE": {"hots": "x"}},
            "SHOP_STORE.hots: there is no such setting; use one of host, hosts, secure, pool",
            id="unknown key",
        ),
        pytest.param(
            {"SHOP_STORE": {"pool": {"zise": 1}}},
            "SHOP_STORE.pool.zise: there is no such setting; use one of size",
            id="unknown deep key",
        ),
        pytest.param(
            {"SHOP_STORE": "x"},
            "SHOP_STORE: 'x' is not a mapping; "
            "write `SHOP_STORE: {…}` with any of host, hosts, secure, pool",
            id="text for a mapping",
        ),
        pytest.param(
            {"SHOP_STORE": None},
            "SHOP_STORE: None is not a mapping; "
            "write `SHOP_STORE: {…}` with any of host, hosts, secure, pool",
            id="null for a mapping",
        ),
        pytest.param(
            {"SHOP_STORE": {"host": 5}},
            "SHOP_STORE.host: 5 is not text; write text there",
            id="number for text",
        ),
        pytest.param(
            {"SHOP_STORE": {"host": "db:3306"}},
            "SHOP_STORE.host: 'db:3306' is not a host name; write one like 'db.acme.internal'",
            id="text of another form",
        ),
        pytest.param(
            {"SHOP_STORE": {"hosts": "a.b"}},
            "SHOP_STORE.hosts: 'a.b' is not a list; write `SHOP_STORE.hosts: [a.b]`",
            id="text for a list",
        ),
        pytest.param(
            {"SHOP_STORE": {"hosts": ["a.b", "c:d"]}},
            "SHOP_STORE.hosts[1]: 'c:d' is not a host name; write one like 'db.acme.internal'",
            id="bad item",
        ),
        pytest.param(
            {"SHOP_STORE": {"secure": "false"}},
            "SHOP_STORE.secure: 'false' is not true or false; write true or false there",
            id="text for a boolean",
        ),
        pytest.param(
            {"SHOP_STORE": {"pool": {"size": True}}},
            "SHOP_STORE.pool.size: True is not a whole number; write a whole number there",
            id="boolean for a number",
        ),
        pytest.param(
            {"SHOP_STORE": {"pool": {"size": 0}}},
            "SHOP_STORE.pool.size: 0 is out of range; write a number from 1 to 9",
            id="too small",
        ),
        pytest.param(
            {"SHOP_STORE": {"pool": {"size": 10}}},
            "SHOP_STORE.pool.size: 10 is out of range; write a number from 1 to 9",
            id="too big",
        ),
        pytest.param(
            {"SHOP_KIND": "huge"},
            "SHOP_KIND: 'huge' is unknown; write 'big' or 'small'",
            id="unknown word",
        ),
        pytest.param(
            {"SHOP_TAGS": ["team"]},
            "SHOP_TAGS: ['team'] is not a mapping; write `SHOP_TAGS: {…}`",
            id="list for a mapping",
        ),
        pytest.param(
            {"SHOP_TAGS": {"team": 5}},
            "SHOP_TAGS.team: 5 is not text; write text there",
            id="number in a mapping",
        ),
        pytest.param(
            {"SHOP_TAGS": {5: "team"}},
            "SHOP_TAGS, the key 5: 5 is not text; write text there",
            id="number for a key",
        ),
    ],
)
def test_mistakes(settings: dict[str, Any], message: str) -> None:
    """Each one says where, what is wrong and what to do."""
    with pytest.raises(ConfigError) as caught:
        read(**settings)
    assert str(caught.value) == message
