"""What AWS has to provide for the chart: roles, policies, tags, and which ports must be open.

The service accounts are those of charts/platform/values.yaml, in the namespace of the release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAMESPACE = "platform"
ROLE_NAME_LENGTH = 64

# Where a policy or a tag has the name of the cluster.
CLUSTER = "CLUSTER"

# Of each Auto Scaling group that may grow and shrink. Those of managed node groups have both.
# https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
GROUP_TAGS: Mapping[str, str] = {
    "k8s.io/cluster-autoscaler/enabled": "true",
    f"k8s.io/cluster-autoscaler/{CLUSTER}": "owned",
}

# Of subnets, by kind.
# https://kubernetes-sigs.github.io/aws-load-balancer-controller/v3.5/deploy/subnet_discovery/
SUBNET_TAGS: Mapping[str, Mapping[str, str]] = {
    "public": {"kubernetes.io/role/elb": "1", f"kubernetes.io/cluster/{CLUSTER}": "shared"},
    "private": {
        "kubernetes.io/role/internal-elb": "1",
        f"kubernetes.io/cluster/{CLUSTER}": "shared",
    },
}

# Where the API server has to reach pods: the label app.kubernetes.io/name → port, and what for.
FROM_API_SERVER: Mapping[str, tuple[int, str]] = {
    "aws-load-balancer-controller": (9443, "webhooks"),
    "metrics-server": (10250, "`metrics.k8s.io`"),
    "external-secrets-webhook": (10250, "webhooks"),
    "keda-operator-metrics-apiserver": (6443, "`external.metrics.k8s.io`"),
    "keda-admission-webhooks": (9443, "webhooks"),
}

# Where the load balancers have to reach pods.
FROM_LOAD_BALANCERS: Mapping[str, Sequence[int]] = {"traefik": (8000, 8080)}

# Test → key → value or values, as IAM writes it.
Condition = Mapping[str, Mapping[str, str | Sequence[str]]]


@dataclass(frozen=True)
class Statement:
    """Actions that are allowed on resources, under conditions."""

    actions: Sequence[str]
    resources: Sequence[str] = ("*",)
    only: Condition | None = None


@dataclass(frozen=True)
class Account:
    """A service account with a role of its own; `component` installs its controller."""

    name: str
    component: str
    source: str
    statements: Sequence[Statement]

    @property
    def actions(self) -> list[str]:
        """All that its role may do, in order."""
        return sorted({action for each in self.statements for action in each.actions})

    def role(self, cluster: str) -> str:
        """The name of its role, as long as IAM allows."""
        return f"{cluster[: ROLE_NAME_LENGTH - 1 - len(self.name)]}-{self.name}"

    def policy(self, cluster: str) -> dict[str, Any]:
        """Its role's policy document."""
        return {
            "Version": "2012-10-17",
            "Statement": [_allow(each, cluster) for each in self.statements],
        }


def _allow(statement: Statement, cluster: str) -> dict[str, Any]:
    only = {
        test: {key.replace(CLUSTER, cluster): _named(value, cluster) for key, value in keys.items()}
        for test, keys in (statement.only or {}).items()
    }
    return {
        "Effect": "Allow",
        "Action": list(statement.actions),
        "Resource": list(statement.resources),
        **({"Condition": only} if only else {}),
    }


def _named(value: str | Sequence[str], cluster: str) -> str | list[str]:
    return value.replace(CLUSTER, cluster) if isinstance(value, str) else list(value)


# The load balancer controller marks with this whatever it makes.
_OWN = "elbv2.k8s.aws/cluster"
_IS_OWN = {"StringEquals": {f"aws:ResourceTag/{_OWN}": CLUSTER}}
_BECOMES_OWN = {f"aws:RequestTag/{_OWN}": CLUSTER}
# The mark itself is not changed.
_STAYS_OWN = {**_IS_OWN, "Null": {f"aws:RequestTag/{_OWN}": "true"}}
_ELB = "arn:aws:elasticloadbalancing:*:*"

LOAD_BALANCER_CONTROLLER = Account(
    "aws-load-balancer-controller",
    "loadBalancerController",
    "https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v3.5.0/docs/install/iam_policy.json",
    (
        Statement(
            ("iam:CreateServiceLinkedRole",),
            only={"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
        ),
        Statement(
            (
                "acm:DescribeCertificate",
                "acm:ListCertificates",
                "ec2:DescribeAccountAttributes",
                "ec2:DescribeAddresses",
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeCoipPools",
                "ec2:DescribeInstances",
                "ec2:DescribeInternetGateways",
                "ec2:DescribeIpamPools",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeTags",
                "ec2:DescribeVpcPeeringConnections",
                "ec2:DescribeVpcs",
                "ec2:GetCoipPoolUsage",
                "ec2:GetSecurityGroupsForVpc",
                "elasticloadbalancing:DescribeCapacityReservation",
                "elasticloadbalancing:DescribeListenerAttributes",
                "elasticloadbalancing:DescribeListenerCertificates",
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeLoadBalancerAttributes",
                "elasticloadbalancing:DescribeLoadBalancers",
                "elasticloadbalancing:DescribeRules",
                "elasticloadbalancing:DescribeSSLPolicies",
                "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
                "elasticloadbalancing:DescribeTrustStores",
            )
        ),
        # It finds the web ACL's ARN by its name; the policy of the project lacks this one.
        Statement(("wafv2:ListWebACLs",)),
        Statement(
            (
                "elasticloadbalancing:SetWebAcl",
                "wafv2:AssociateWebACL",
                "wafv2:DisassociateWebACL",
                "wafv2:GetWebACL",
                "wafv2:GetWebACLForResource",
            )
        ),
        # Also those of nodes and pods, which others have made.
        Statement(("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress")),
        Statement(("ec2:CreateSecurityGroup",)),
        Statement(
            ("ec2:CreateTags",),
            ("arn:aws:ec2:*:*:security-group/*",),
            {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", **_BECOMES_OWN}},
        ),
        Statement(
            ("ec2:CreateTags", "ec2:DeleteTags"), ("arn:aws:ec2:*:*:security-group/*",), _STAYS_OWN
        ),
        Statement(("ec2:DeleteSecurityGroup",), only=_IS_OWN),
        Statement(
            ("elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"),
            only={"StringEquals": _BECOMES_OWN},
        ),
        Statement(
            ("elasticloadbalancing:AddTags",),
            (f"{_ELB}:targetgroup/*/*", f"{_ELB}:loadbalancer/app/*/*"),
            {
                "StringEquals": {
                    "elasticloadbalancing:CreateAction": (
                        "CreateLoadBalancer",
                        "CreateTargetGroup",
                    ),
                    **_BECOMES_OWN,
                }
            },
        ),
        Statement(
            ("elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"),
            (f"{_ELB}:targetgroup/*/*", f"{_ELB}:loadbalancer/app/*/*"),
            _STAYS_OWN,
        ),
        Statement(
            ("elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"),
            (f"{_ELB}:listener/app/*/*/*", f"{_ELB}:listener-rule/app/*/*/*"),
        ),
        Statement(
            (
                "elasticloadbalancing:DeleteLoadBalancer",
                "elasticloadbalancing:DeleteTargetGroup",
                "elasticloadbalancing:ModifyCapacityReservation",
                "elasticloadbalancing:ModifyIpPools",
                "elasticloadbalancing:ModifyListenerAttributes",
                "elasticloadbalancing:ModifyLoadBalancerAttributes",
                "elasticloadbalancing:ModifyTargetGroup",
                "elasticloadbalancing:ModifyTargetGroupAttributes",
                "elasticloadbalancing:SetIpAddressType",
                "elasticloadbalancing:SetSecurityGroups",
                "elasticloadbalancing:SetSubnets",
            ),
            only=_IS_OWN,
        ),
        Statement(
            (
                "elasticloadbalancing:AddListenerCertificates",
                "elasticloadbalancing:CreateListener",
                "elasticloadbalancing:CreateRule",
                "elasticloadbalancing:DeleteListener",
                "elasticloadbalancing:DeleteRule",
                "elasticloadbalancing:ModifyListener",
                "elasticloadbalancing:ModifyRule",
                "elasticloadbalancing:RemoveListenerCertificates",
                "elasticloadbalancing:SetRulePriorities",
            )
        ),
        # Also of target groups that others have made: edge.mode targetGroupBinding.
        Statement(
            ("elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"),
            (f"{_ELB}:targetgroup/*/*",),
        ),
    ),
)

CLUSTER_AUTOSCALER = Account(
    "cluster-autoscaler",
    "clusterAutoscaler",
    "https://github.com/kubernetes/autoscaler/blob/cluster-autoscaler-1.36.1/cluster-autoscaler/cloudprovider/aws/README.md",
    (
        Statement(
            (
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
                "eks:DescribeNodegroup",
            )
        ),
        Statement(
            ("autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"),
            only={
                "StringEquals": {
                    f"aws:ResourceTag/{tag}": value
                    for tag, value in GROUP_TAGS.items()
                    if CLUSTER in tag
                }
            },
        ),
    ),
)

EXTERNAL_DNS = Account(
    "external-dns",
    "externalDns",
    "https://github.com/kubernetes-sigs/external-dns/blob/v0.21.0/docs/tutorials/aws.md",
    (
        Statement(
            (
                "route53:ChangeResourceRecordSets",
                "route53:ListResourceRecordSets",
                "route53:ListTagsForResources",
            ),
            # Better those of external-dns.domainFilters alone.
            ("arn:aws:route53:::hostedzone/*",),
        ),
        Statement(("route53:ListHostedZones",)),
    ),
)

# It reads with the role of each instance's own service account, and has none itself.
EXTERNAL_SECRETS = Account(
    "external-secrets",
    "externalSecrets",
    "https://external-secrets.io/latest/provider/aws-access/",
    (),
)

ACCOUNTS = (LOAD_BALANCER_CONTROLLER, CLUSTER_AUTOSCALER, EXTERNAL_DNS, EXTERNAL_SECRETS)
