"""Amazon SES: where a region has it, and what a role needs to send an instance's mail.

https://docs.aws.amazon.com/general/latest/gr/ses.html
https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tutoraws.policies import Policy, partition

# With STARTTLS. The other ports are for servers that speak TLS from the first byte, and for mail
# between servers.
SMTP_PORT = 587


def api_host(region: str) -> str:
    """Where programs with a role send mail."""
    return f"email.{region}.{_domain(region)}"


def smtp_host(region: str) -> str:
    """Where programs that speak SMTP send mail; "" without a region."""
    return f"email-smtp.{region}.{_domain(region)}" if region else ""


def is_in(region: str) -> bool:
    """Whether there is SES at all: China has none."""
    return partition(region) != "aws-cn"


def _domain(region: str) -> str:
    return "amazonaws.com" if is_in(region) else "amazonaws.com.cn"


@dataclass(frozen=True)
class Mail:
    """Who sends: domains (`acme.org`) or single addresses, as SES has verified them."""

    region: str
    account: str
    senders: Sequence[str]
    configuration_set: str = ""

    @property
    def resources(self) -> list[str]:
        """The ARNs that mail is sent with."""
        names = [f"identity/{sender}" for sender in self.senders]
        if self.configuration_set:
            names.append(f"configuration-set/{self.configuration_set}")
        start = f"arn:{partition(self.region)}:ses:{self.region}:{self.account}:"
        return [f"{start}{name}" for name in names]

    @property
    def addresses(self) -> list[str]:
        """Patterns of From addresses. The platform makes up one per course, of the same domain."""
        return [sender if "@" in sender else f"*@{sender}" for sender in self.senders]


def mail_policy(mail: Mail) -> Policy:
    """The IAM policy for django-ses, and for a user whose SMTP password that is made of.

    Before its first mail each process asks for the quota that it throttles itself by.
    """
    sending = {
        "Sid": "Mail",
        "Effect": "Allow",
        "Action": ["ses:SendRawEmail"],
        "Resource": mail.resources,
        "Condition": {"StringLike": {"ses:FromAddress": mail.addresses}},
    }
    # IAM knows no resources for it.
    quota = {
        "Sid": "Quota",
        "Effect": "Allow",
        "Action": ["ses:GetSendQuota"],
        "Resource": ["*"],
    }
    return {"Version": "2012-10-17", "Statement": [sending, quota]}
