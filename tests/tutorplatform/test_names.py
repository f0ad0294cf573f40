"""No two instances' names meet on a service that they share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tutorplatform import names
from tutorplatform.errors import ConfigError

MYSQL_MAX_USER_NAME = 32

instance_names = st.one_of(
    st.from_regex(names.INSTANCE_NAME, fullmatch=True),
    # The likeliest to collide: one instance named after the databases of another.
    st.builds(
        lambda stem, application: (stem + application)[:16],
        st.from_regex(r"[a-z][a-z0-9]{0,4}", fullmatch=True),
        st.sampled_from(sorted(names.APPLICATIONS)),
    ),
)


def is_usable(name: str) -> bool:
    try:
        names.checked_instance_name(name, "K8S_NAMESPACE")
    except ConfigError:
        return False
    return True


@given(one=instance_names.filter(is_usable), other=instance_names.filter(is_usable))
def test_the_databases_of_two_instances_never_meet(one: str, other: str) -> None:
    """Whatever two instances are called, no database name belongs to both."""
    ones, others = (
        {names.database_name(instance, application) for application in names.APPLICATIONS}
        for instance in (one, other)
    )
    assert len(ones) == len(names.APPLICATIONS)
    assert one == other or not ones & others


@given(one=instance_names, other=instance_names)
def test_prefixes_of_two_instances_do_not_cover_each_other(one: str, other: str) -> None:
    """No key or index of one instance is found under another's prefix."""
    for prefix in (names.key_prefix, names.index_prefix):
        assert one == other or not prefix(one).startswith(prefix(other))


def test_no_application_ends_in_another_one() -> None:
    """The reason why `instance + application` is unambiguous holds for every pair."""
    assert not [
        (one, other)
        for one in names.APPLICATIONS
        for other in names.APPLICATIONS
        if one != other and one.endswith(other)
    ]


@pytest.mark.parametrize("application", sorted(names.APPLICATIONS))
def test_the_longest_instance_name_fits_into_a_mysql_user(application: str) -> None:
    """MySQL takes 32 characters."""
    assert len(names.database_name("a" * 16, application)) <= MYSQL_MAX_USER_NAME


def test_a_database_of_an_unknown_application_is_a_mistake_of_ours() -> None:
    """Only listed applications are known not to collide."""
    with pytest.raises(ValueError, match="forum"):
        names.database_name("acme", "forum")


@pytest.mark.parametrize("name", ["ab", "a1", "openedx", "a" * 16])
def test_usable_instance_names(name: str) -> None:
    """Two to sixteen letters and digits, a letter first."""
    assert names.checked_instance_name(name, "K8S_NAMESPACE") == name


@pytest.mark.parametrize(
    "name",
    ["", "a", "1a", "a" * 17, "Acme", "my-school", "my_school", "acme\n", "é1"],
    ids=repr,
)
def test_unusable_instance_names(name: str) -> None:
    """The message names the setting and the rule."""
    with pytest.raises(ConfigError, match=r"K8S_NAMESPACE: .*2 to 16 lower-case letters"):
        names.checked_instance_name(name, "K8S_NAMESPACE")


@pytest.mark.parametrize("name", ["default", "platform", "kube", "kubesystem"])
def test_reserved_instance_names(name: str) -> None:
    """The cluster's own namespaces are not for instances."""
    with pytest.raises(ConfigError, match="reserved"):
        names.checked_instance_name(name, "K8S_NAMESPACE")
