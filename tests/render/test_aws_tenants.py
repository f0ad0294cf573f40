"""Two instances on the same services, with every official plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import instances
from tests.conftest import NewRoot
from tests.render import tenants
from tests.render.wiring import PLUGINS

pytestmark = pytest.mark.render


def test_no_setting_names_the_same_thing_for_both(new_root: NewRoot, ca_file: Path) -> None:
    """Whatever looks like a name is another one, or there is a reason in `tenants.SHARED`."""
    both = []
    for number in range(2):
        root = new_root("aws", *PLUGINS, **instances.settings(number, ca_file))
        root.run("config", "save")
        both.append(tenants.identifiers(root))
    assert len(both[0]) > 150
    assert both[0].keys() == both[1].keys()
    assert tenants.shared(*both) == {}
