"""An instance is what the configuration's namespace says."""

import pytest
from tutorplatform.errors import ConfigError
from tutorplatform.instance import Instance, instance


def test_the_namespace_names_the_instance() -> None:
    """There is one truth for an instance's name."""
    assert instance({"K8S_NAMESPACE": "acme"}) == Instance("acme")


def test_what_an_instance_is_called_elsewhere() -> None:
    """All names derive from the instance's own."""
    acme = Instance("acme")
    assert acme.database("credentials") == "acmecredentials"
    assert acme.key_prefix == "acme:"
    assert acme.index_prefix == "acme_"


@pytest.mark.parametrize("namespace", ["my-school", "default", 5, None], ids=repr)
def test_a_namespace_that_is_no_instance_name(namespace: object) -> None:
    """The setting is named."""
    with pytest.raises(ConfigError, match=r"^K8S_NAMESPACE: "):
        instance({"K8S_NAMESPACE": namespace})
