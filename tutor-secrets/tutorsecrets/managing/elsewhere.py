"""Edge: values in manifests that go to the cluster by another way than `tutor k8s`."""

from __future__ import annotations

from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import rotating


def filled(session: Session, manifests: list[Manifest]) -> list[Manifest]:
    """The manifests with values in place of tokens.

    Raises DeployError while a rotation is taking new values into use: both users of a database
    would get the same password, and old pods lose the one that they have. One that has failed
    before may need what these manifests make.
    """
    if rotating.takes_effect(session):
        raise DeployError(
            session.store.title,
            "a rotation of passwords is under way",
            "finish it with `tutor secrets rotate`, then run this command again",
        )
    return session.filled(manifests)
