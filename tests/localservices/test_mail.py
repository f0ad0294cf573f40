"""Each service's rendered settings, in Django, send mail: by SES with a role, and by SMTP."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from localcluster.certificates import Authority
from localcluster.model import LOOPBACK
from localcluster.processes import free_port
from localservices.aws import AwsEmulator
from localservices.faults import Faults, aws_with
from tutoraws.mail import Mail, mail_policy

from demo.tutor import TutorRoot
from tests.render.aws_services import external_services
from tests.render.edx_platform import platform_settings, plugin_settings

pytestmark = [
    pytest.mark.services,
    pytest.mark.render,
    # One of our servers is meant to be careless.
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
]

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::000000000000:role/acme"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/ACME"
# As SES makes them up.
USER, PASSWORD = "AKIAIOSFODNN7EXAMPLE", "BGn+a/b0c1d2e3f4g5h6i7j8k9l0m1n2o3p4q5r6s7t="


@pytest.fixture(scope="module")
def root(new_root: Callable[..., TutorRoot], tmp_path_factory: pytest.TempPathFactory) -> TutorRoot:
    authority = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.write_bytes(Authority.new("databases").pem)
    root = new_root(
        *("aws", "mfe", "credentials", "discovery"),
        **external_services(authority),
        SMTP_USERNAME=USER,
        SMTP_PASSWORD=PASSWORD,
        CONTACT_EMAIL="learn@acme.test",
    )
    root.run("config", "save")
    return root


def send(
    root: TutorRoot, service: str, settings: dict[str, Any], **environment: str
) -> dict[str, Any]:
    """What becomes of a mail of this service, with these settings and variables besides."""
    arguments = [str(root.path), service, json.dumps(settings)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.localservices.mail_client", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(root.path), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


# SES


@pytest.fixture(scope="module")
def _identities(aws: AwsEmulator) -> None:
    """What exists in the account: a role for the instance's pods, and a domain to send from."""
    keys = {
        "region_name": aws.region,
        "endpoint_url": aws.environment["AWS_ENDPOINT_URL"],
        "aws_access_key_id": "emulator",
        "aws_secret_access_key": "emulator",
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::000000000000:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    boto3.client("iam", **keys).create_role(RoleName="acme", AssumeRolePolicyDocument=document)
    boto3.client("ses", **keys).verify_domain_identity(Domain="acme.test")


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, str]:
    """The variables that EKS gives a pod with a service account that has a role."""
    claims = {"iss": f"https://{ISSUER}", "sub": "system:serviceaccount:acme:openedx"}
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, {**claims, "aud": "sts"})]
    token = tmp_path / "token"
    encoded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
    token.write_text(".".join([*encoded, ""]))
    return {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}


@pytest.mark.wires(
    *("EMAIL_BACKEND", "AWS_SES_REGION_NAME", "AWS_SES_REGION_ENDPOINT"),
    "AWS_SES_CONFIGURATION_SET",
)
@pytest.mark.usefixtures("_identities")
@pytest.mark.parametrize("service", ["lms", "cms"])
def test_the_platform_sends_by_ses_with_its_role(
    root: TutorRoot, aws: AwsEmulator, pod: dict[str, str], service: str
) -> None:
    """It calls what the policy allows, and nothing else; the header names the configuration set."""
    faults = Faults()
    with aws_with(faults, aws.environment["AWS_ENDPOINT_URL"]) as endpoint:
        sent = send(
            root,
            service,
            {"AWS_SES_REGION_ENDPOINT_URL": endpoint},
            **pod,
            AWS_ENDPOINT_URL_STS=endpoint,
            AWS_DEFAULT_REGION="eu-west-1",
        )
    assert sent == {"sent": 1}
    identity, *calls = faults.calls
    assert identity == "AssumeRoleWithWebIdentity"
    policy = mail_policy(Mail("eu-west-1", "000000000000", ["acme.test"]))
    allowed = [action for statement in policy["Statement"] for action in statement["Action"]]
    assert sorted(f"ses:{call}" for call in calls) == sorted(allowed)

    form = parse_qs(faults.bodies[faults.calls.index("SendRawEmail")].decode())
    message = email.message_from_bytes(base64.b64decode(form["RawMessage.Data"][0]))
    assert message["X-SES-CONFIGURATION-SET"] == "events"
    assert form["Source"] == [message["From"]] == ["learn@acme.test"]


@pytest.mark.usefixtures("_identities")
def test_mail_of_an_unknown_sender_is_refused_aloud(
    root: TutorRoot, aws: AwsEmulator, pod: dict[str, str]
) -> None:
    """SES answers, the platform logs it: no mail is lost without a word."""
    endpoint = aws.environment["AWS_ENDPOINT_URL"]
    refused = send(
        root,
        "lms",
        {"AWS_SES_REGION_ENDPOINT_URL": endpoint, "DEFAULT_FROM_EMAIL": "learn@beta.test"},
        **pod,
        AWS_ENDPOINT_URL_STS=endpoint,
        AWS_DEFAULT_REGION="eu-west-1",
    )
    assert "not verified" in refused["refused"]


# SMTP


class Mailbox:
    """Keeps what a server is sent."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    # The name is aiosmtpd's.
    async def handle_DATA(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        return "250 OK"

    @property
    def messages(self) -> list[EmailMessage]:
        contents = [envelope.content or b"" for envelope in self.envelopes]
        return [
            email.message_from_bytes(each, policy=email.policy.default)  # type: ignore[arg-type]
            for each in contents
        ]


def is_known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    given = data == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=given, handled=False)


# A mailbox, the settings that lead there, and the authority that vouches for the server.
NewServer = Callable[..., tuple[Mailbox, dict[str, Any], Path]]


@pytest.fixture(scope="module")
def smtp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewServer]:
    """Starts servers such as SES' for SMTP: nothing goes without STARTTLS and a login."""
    running: list[Controller] = []

    def start(host: str = LOOPBACK, tls: bool = True) -> tuple[Mailbox, dict[str, Any], Path]:
        folder = tmp_path_factory.mktemp("smtp")
        authority = Authority.new("of the mail server")
        pair = authority.issue("mail", hosts=[host])
        (folder / "ca.pem").write_bytes(authority.pem)
        (folder / "server.pem").write_bytes(pair.certificate + pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        mailbox = Mailbox()
        server = Controller(
            mailbox,
            hostname=LOOPBACK,
            port=free_port(),
            tls_context=context if tls else None,
            require_starttls=tls,
            authenticator=is_known,
            auth_required=True,
            auth_require_tls=tls,
        )
        server.start()
        running.append(server)
        return mailbox, {"EMAIL_HOST": LOOPBACK, "EMAIL_PORT": server.port}, folder / "ca.pem"

    yield start
    for server in running:
        server.stop()


each_plugin = pytest.mark.parametrize("plugin", ["credentials", "discovery"])


@pytest.mark.wires(
    *("EMAIL_HOST", "EMAIL_PORT"),
    *(
        f"{plugin}:{setting}"
        for plugin in ("credentials", "discovery")
        for setting in ("EMAIL_USE_TLS", "EMAIL_TIMEOUT", "DEFAULT_FROM_EMAIL", "SERVER_EMAIL")
    ),
)
@each_plugin
def test_plugins_send_by_smtp(root: TutorRoot, smtp: NewServer, plugin: str) -> None:
    """As the user of SES, after STARTTLS, from an address that SES knows."""
    mailbox, address, authority = smtp()
    rendered = plugin_settings(root, plugin)
    assert rendered["EMAIL_HOST"] == "email-smtp.eu-west-1.amazonaws.com"
    assert rendered["EMAIL_PORT"] == "587"
    assert rendered["EMAIL_TIMEOUT"] == 10
    assert send(root, plugin, address, SSL_CERT_FILE=str(authority)) == {"sent": 1}
    (message,) = mailbox.messages
    assert (message["From"], message["To"]) == ("learn@acme.test", "learner@example.test")
    assert message["Subject"] == "Grüße 🎓"


@each_plugin
def test_a_mail_server_that_cannot_be_verified_gets_nothing(
    root: TutorRoot, smtp: NewServer, plugin: str
) -> None:
    """Of an unknown authority, under another name, or without TLS: no mail, and no password."""
    mailbox, address, _ = smtp()
    other, misnamed, authority = smtp("elsewhere.test")
    plain, without_tls, _ = smtp(tls=False)
    assert "CERTIFICATE_VERIFY_FAILED" in send(root, plugin, address)["refused"]
    refused = send(root, plugin, misnamed, SSL_CERT_FILE=str(authority))["refused"]
    assert "mismatch" in refused
    assert "STARTTLS" in send(root, plugin, without_tls)["refused"]
    assert mailbox.messages + other.messages + plain.messages == []


@each_plugin
def test_a_relay_that_is_named_is_used_as_it_is(
    new_root: Callable[..., TutorRoot], plugin: str
) -> None:
    """Neither the platform nor the plugins go to SES then."""
    root = new_root(
        *("aws", "mfe", plugin), AWS_REGION="eu-west-1", SMTP_HOST="mx.acme.test", SMTP_PORT=25
    )
    root.run("config", "save")
    rendered = plugin_settings(root, plugin)
    assert (rendered["EMAIL_HOST"], rendered["EMAIL_PORT"]) == ("mx.acme.test", "25")
    assert rendered["EMAIL_USE_TLS"] is False
    assert "DEFAULT_FROM_EMAIL" not in rendered
    assert platform_settings(root, "lms")["EMAIL_HOST"] == "mx.acme.test"
    assert "smtp" in platform_settings(root, "lms")["EMAIL_BACKEND"]
