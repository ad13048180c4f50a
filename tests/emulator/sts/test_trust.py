"""Trust policies, evaluated without a server: conditions, denials, principals and tags."""

from __future__ import annotations

import pytest

from cognito_credentials.emulator.sts.trust import Assumption, allows

HOST = "cognito-identity.amazonaws.com"
NOW = 1_900_000_000.5
""".5 past 17:46:40 on 17 March 2030"""


def attempt(**changes):
    claims = {"aud": ["us-east-1:0"], "sub": ["us-east-1:1"], "amr": ["authenticated", "g.example"]}
    return Assumption(HOST, HOST, {**claims, **changes.pop("claims", {})}, "session", NOW, **changes)


def policy(condition, effect="Allow", action="sts:AssumeRoleWithWebIdentity"):
    return {
        "Effect": effect,
        "Principal": {"Federated": HOST},
        "Action": action,
        "Condition": condition,
    }


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({}, True),
        ({"StringEquals": {f"{HOST}:aud": "us-east-1:0"}}, True),
        ({"StringEquals": {f"{HOST}:AUD": ["x", "us-east-1:0"]}}, True),
        ({"StringEquals": {f"{HOST}:aud": "US-EAST-1:0"}}, False),
        ({"StringEqualsIgnoreCase": {f"{HOST}:aud": "US-EAST-1:0"}}, True),
        ({"StringNotEquals": {f"{HOST}:aud": "us-east-1:0"}}, False),
        ({"StringNotEquals": {f"{HOST}:aud": ["x", "us-east-1:0"]}}, False),
        ({"StringNotEquals": {f"{HOST}:aud": ["x", "y"]}}, True),
        ({"StringNotEquals": {f"{HOST}:missing": "x"}}, True),
        ({"StringLike": {f"{HOST}:sub": "us-east-1:*"}}, True),
        ({"StringLike": {f"{HOST}:sub": "us-east-[1]:*"}}, False),
        ({"StringNotLike": {f"{HOST}:sub": "us-east-1:*"}}, False),
        ({"StringEquals": {f"{HOST}:missing": "x"}}, False),
        ({"StringEqualsIfExists": {f"{HOST}:missing": "x"}}, True),
        ({"ForAnyValue:StringLike": {f"{HOST}:amr": "auth*"}}, True),
        ({"ForAnyValue:StringEquals": {f"{HOST}:amr": "unauthenticated"}}, False),
        ({"ForAllValues:StringEquals": {f"{HOST}:amr": "authenticated"}}, False),
        ({"ForAllValues:StringEquals": {f"{HOST}:amr": ["authenticated", "g.example"]}}, True),
        ({"StringEquals": {f"{HOST}:amr": "g.example"}}, True),
        ({"Null": {f"{HOST}:missing": "true"}}, True),
        ({"Null": {f"{HOST}:missing": "True"}}, True),
        ({"Null": {f"{HOST}:aud": True}}, False),
        ({"Null": {f"{HOST}:aud": "TRUE"}}, False),
        ({"Null": {f"{HOST}:aud": ["False"]}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "session"}}, True),
        ({"NumericLessThan": {f"{HOST}:aud": "5"}}, False),
        ({"NumericLessThan": {"aws:EpochTime": "1900000001"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2030-03-17T17:46:41Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2030-03-17T17:46:40Z"}}, False),
        ({"DateLessThanEquals": {"aws:CurrentTime": "2030-03-17T18:46:40.123+01:00"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": ["2030-03-18", "1900000000"]}}, False),
        ({"DateGreaterThan": {"aws:EpochTime": "2030-03-17"}}, True),
        ({"ForAnyValue:StringNotEquals": {f"{HOST}:missing": "x"}}, False),
        ({"ForAnyValue:StringNotEquals": {f"{HOST}:amr": "authenticated"}}, True),
        ({"ForAllValues:StringNotEquals": {f"{HOST}:amr": "authenticated"}}, False),
        ({"StringNotEquals": {f"{HOST}:amr": "g.example"}}, False),
        ({"ArnLike": {"sts:RoleSessionName": "*"}}, False),
        ({"Bool": {"sts:RoleSessionName": "true"}}, False),
        ({"ForAllValues:StringEquals": {f"{HOST}:missing": "x"}}, True),
        ({"ForAnyValue:StringEquals": {f"{HOST}:missing": "x"}}, False),
        ({"ForAnyValue:StringNotLike": {f"{HOST}:missing": "x"}}, False),
        ({"ForAnyValue:StringNotEqualsIfExists": {f"{HOST}:missing": "x"}}, True),
        ({"ForSomeValues:StringEquals": {f"{HOST}:aud": "us-east-1:0"}}, False),
        ({"Null": {"aws:CurrentTime": "false"}}, True),
        ({"UnknownOperator": {f"{HOST}:aud": "us-east-1:0"}}, False),
    ],
)
def test_conditions(condition, holds):
    """Conditions of a trust policy are evaluated as IAM does. An unknown operator never holds."""
    assert allows({"Statement": [policy(condition)]}, attempt()) is holds


def test_deny_beats_allow():
    """A statement that denies outweighs all that allow."""
    statements = [policy({}), policy({"StringEquals": {f"{HOST}:aud": "us-east-1:0"}}, "Deny")]

    assert allows({"Statement": statements}, attempt()) is False
    assert allows({"Statement": statements}, attempt(claims={"aud": ["other:1"]})) is True


@pytest.mark.parametrize(
    ("principal", "denied"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ["arn:aws:iam::123456789012:root", "*"]}, True),
        ({"Federated": "*"}, True),
        ({"Federated": ["accounts.google.com", HOST]}, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, False),
        ({"Federated": "accounts.google.com"}, False),
        ({"Service": "ec2.amazonaws.com"}, False),
    ],
)
def test_principals_that_are_denied(principal, denied):
    """A Deny applies to the principals it names. A star, alone or under AWS, is everybody."""
    deny = {**policy({}, "Deny"), "Principal": principal}

    assert allows({"Statement": [policy({}), deny]}, attempt()) is not denied


def test_denied_from_a_moment_on():
    """A Deny with a date applies from that date on."""
    for date, denied in (("2030-03-17T17:46:39Z", True), ("2030-03-17T17:46:41Z", False)):
        deny = policy({"DateGreaterThan": {"aws:CurrentTime": date}}, "Deny")

        assert allows({"Statement": [policy({}), deny]}, attempt()) is not denied


def test_tags_need_their_own_action():
    """Session tags need sts:TagSession in the trust policy, and conditions can test them."""
    tagged = attempt(tags={"team": "a"})
    both = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]

    assert allows({"Statement": policy({})}, tagged) is False
    assert allows({"Statement": policy({}, action=both)}, tagged) is True
    condition = {"StringEquals": {"aws:RequestTag/team": "b"}}
    assert allows({"Statement": policy(condition, action=both)}, tagged) is False


def test_another_principal():
    """A trust policy for another federation does not apply."""
    statement = {**policy({}), "Principal": {"Federated": "accounts.google.com"}}

    assert allows({"Statement": [statement]}, attempt()) is False
