"""Unit tests of enforce.py: python enforce_test.py"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from enforce import Call, Caller, Unsupported, arn_like, decide, holds, matches, trusts  # noqa: E402

ACCOUNT, OTHER = "123456789012", "999999999999"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/p/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action="s3:*", resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action="s3:*", resource="*", **more):
    return allow(action, resource, **more) | {"Effect": "Deny"}


def session(*policies, boundary=None):
    return Caller(arn=SESSION, account=ACCOUNT, role=ROLE, policies=list(policies), boundary=boundary)


def user(*policies, boundary=None):
    return Caller(arn=USER, account=ACCOUNT, policies=list(policies), boundary=boundary)


GET = Call("s3:GetObject", "arn:aws:s3:::b/k", {"aws:resourceaccount": [ACCOUNT]})


class Decide(unittest.TestCase):
    def refused(self, decision, why):
        self.assertFalse(decision)
        self.assertEqual(decision.why, why)

    def test_identity(self):
        self.assertTrue(decide(user(document(allow("s3:getobject", "arn:aws:s3:::b/*"))), GET))
        nothing = "because no identity-based policy allows the s3:GetObject action"
        self.refused(decide(user(), GET), nothing)
        self.refused(decide(user(document(allow("s3:PutObject"))), GET), nothing)
        self.refused(decide(user(document(allow(resource="arn:aws:s3:::c/*"))), GET), nothing)

    def test_not_elements(self):
        self.assertTrue(decide(user(document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})), GET))
        self.assertFalse(decide(user(document({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"})), GET))
        spared = {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}
        self.assertTrue(decide(user(document(allow(), spared)), GET))
        self.assertFalse(decide(user(document(allow(), spared | {"NotResource": "arn:aws:s3:::b"})), GET))

    def test_explicit_deny_wins(self):
        self.refused(decide(user(document(allow(), deny())), GET), "with an explicit deny in an identity-based policy")
        everybody = document(deny(Principal="*"))
        self.refused(decide(user(document(allow())), GET, everybody), "with an explicit deny in a resource-based policy")
        limit = document(allow(), deny("s3:GetObject"))
        self.refused(decide(user(document(allow()), boundary=limit), GET), "with an explicit deny in a permissions boundary")

    def test_boundary_intersects(self):
        wide, narrow = document(allow("*")), document(allow("s3:GetObject"))
        self.assertTrue(decide(user(wide, boundary=narrow), GET))
        self.assertFalse(decide(user(narrow, boundary=document(allow("s3:PutObject"))), GET))
        put = Call("s3:PutObject", "arn:aws:s3:::b/k")
        self.refused(decide(user(wide, boundary=narrow), put), "because no permissions boundary allows the s3:PutObject action")
        self.assertFalse(decide(user(narrow, boundary=wide), put))

    def test_bucket_policy_of_the_own_account(self):
        to = lambda who: document(allow(Principal=who))  # noqa: E731
        self.assertTrue(decide(user(), GET, to({"AWS": USER}), ACCOUNT))
        self.assertTrue(decide(session(), GET, to({"AWS": ROLE}), ACCOUNT))
        # The account passes on to its policies, which allow nothing.
        self.assertFalse(decide(user(), GET, to({"AWS": ACCOUNT}), ACCOUNT))
        self.assertFalse(decide(user(), GET, to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), ACCOUNT))
        # A boundary limits what a role gets by its own ARN, not a session.
        nothing = document()
        self.assertFalse(decide(session(boundary=nothing), GET, to({"AWS": ROLE}), ACCOUNT))
        self.assertTrue(decide(session(boundary=nothing), GET, to({"AWS": SESSION}), ACCOUNT))

    def test_other_account_needs_both(self):
        wide = document(allow())
        self.refused(decide(user(wide), GET, None, OTHER), "because no resource-based policy allows the s3:GetObject action")
        for who in ("*", {"AWS": USER}, {"AWS": ACCOUNT}):
            policy = document(allow(Principal=who))
            self.assertTrue(decide(user(wide), GET, policy, OTHER), who)
            self.assertFalse(decide(user(), GET, policy, OTHER), who)
        own = document(allow(Condition={"StringEquals": {"aws:ResourceAccount": OTHER}}))
        self.assertFalse(decide(user(own), GET, document(allow(Principal="*")), OTHER))

    def test_root(self):
        root = Caller(arn=f"arn:aws:iam::{ACCOUNT}:root", account=ACCOUNT, root=True)
        self.assertTrue(decide(root, GET, None, ACCOUNT))
        self.assertFalse(decide(root, GET, document(deny(Principal="*")), ACCOUNT))
        self.assertFalse(decide(root, GET, None, OTHER))

    def test_nobody(self):
        self.assertFalse(decide(Caller(), GET, None, ACCOUNT))
        self.assertTrue(decide(Caller(), GET, document(allow(Principal="*")), ACCOUNT))

    def test_not_principal(self):
        others = {"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, SESSION, ACCOUNT]}, "Action": "*", "Resource": "*"}
        self.assertTrue(decide(session(document(allow())), GET, document(others), ACCOUNT))
        self.assertFalse(decide(Caller(arn="x", account=OTHER, policies=[document(allow())]), GET, document(others), OTHER))


class Trust(unittest.TestCase):
    PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/i"

    def lets_in(self, *statements, provider=PROVIDER):
        call = Call("sts:AssumeRoleWithWebIdentity", ROLE, {"i:sub": ["system:serviceaccount:a:s"], "i:aud": ["x"]})
        return trusts(document(*statements), Caller(federated=provider), call)

    def test_web_identity(self):
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": self.PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"i:sub": "system:serviceaccount:a:s", "i:aud": "x"}},
        }
        self.assertTrue(self.lets_in(statement))
        self.assertFalse(self.lets_in(statement, provider=self.PROVIDER + "2"))
        self.assertFalse(self.lets_in(statement | {"Action": "sts:AssumeRole"}))
        self.assertFalse(self.lets_in(statement | {"Condition": {"StringEquals": {"i:sub": "other"}}}))
        self.assertFalse(self.lets_in(statement, statement | {"Effect": "Deny"}))


class Conditions(unittest.TestCase):
    CONTEXT = {
        "k": ["v"],
        "secure": ["true"],
        "aws:tagkeys": ["a", "b"],
        "arn": ["arn:aws:iam::1:role/p/x"],
        "name": ["a*"],
    }

    def holds(self, operator, key, wanted):
        return holds({operator: {key: wanted}}, self.CONTEXT)

    def test_operators(self):
        for operator, key, wanted, expected in (
            ("StringEquals", "K", "v", True),
            ("StringEquals", "k", ["x", "v"], True),
            ("StringEquals", "k", "*", False),
            ("StringEquals", "absent", "v", False),
            ("StringEqualsIfExists", "absent", "v", True),
            ("StringEqualsIfExists", "k", "x", False),
            ("StringEqualsIgnoreCase", "k", "V", True),
            ("StringNotEquals", "k", ["x", "v"], False),
            ("StringNotEquals", "k", "x", True),
            ("StringNotEquals", "absent", "v", True),
            ("StringLike", "k", "?", True),
            ("StringLike", "k", "??", False),
            ("StringNotLike", "k", "v*", False),
            ("Bool", "secure", "false", False),
            ("Bool", "secure", True, True),
            ("Bool", "absent", "false", False),
            ("BoolIfExists", "absent", "false", True),
            ("Null", "absent", "true", True),
            ("Null", "k", True, False),
            ("Null", "k", "false", True),
            ("ArnLike", "arn", "arn:aws:iam::*:role/p/*", True),
            ("ArnEquals", "arn", "arn:*", False),
            ("ArnNotLike", "arn", "arn:aws:iam::1:role/p/?", False),
            ("ForAllValues:StringEquals", "aws:TagKeys", ["a", "b", "c"], True),
            ("ForAllValues:StringEquals", "aws:TagKeys", ["a"], False),
            ("ForAllValues:StringEquals", "absent", ["a"], True),
            ("ForAnyValue:StringEquals", "aws:TagKeys", ["b"], True),
            ("ForAnyValue:StringEquals", "aws:TagKeys", ["c"], False),
            ("ForAnyValue:StringEquals", "absent", ["c"], False),
            ("ForAllValues:StringNotLike", "aws:TagKeys", ["c*"], True),
        ):
            self.assertEqual(self.holds(operator, key, wanted), expected, (operator, key, wanted))

    def test_all_keys_of_all_operators(self):
        self.assertFalse(holds({"StringEquals": {"k": "v", "absent": "v"}}, self.CONTEXT))
        self.assertFalse(holds({"StringEquals": {"k": "v"}, "Bool": {"secure": "false"}}, self.CONTEXT))

    def test_unknown_operator(self):
        with self.assertRaises(Unsupported):
            self.holds("NumericLessThan", "k", "1")

    def test_variables(self):
        self.assertTrue(matches("arn:${k}/*", "arn:v/x", self.CONTEXT))
        self.assertFalse(matches("arn:${absent}/*", "arn:v/x", self.CONTEXT))
        self.assertFalse(matches("${name}", "ab", self.CONTEXT))
        self.assertTrue(matches("${name}", "a*", self.CONTEXT))
        self.assertTrue(matches("x${*}y", "x*y", self.CONTEXT))
        self.assertTrue(self.holds("StringLike", "k", "${k}"))
        self.assertTrue(matches("x${absent, 'd'}", "xd", self.CONTEXT))
        self.assertTrue(matches("x${k, 'd'}", "xv", self.CONTEXT))
        self.assertFalse(matches("x${absent,d}", "x${absent,d}", self.CONTEXT))

    def test_principal(self):
        """The account of the caller, and the tags of the caller's role."""
        context = {"aws:principalaccount": [ACCOUNT], "aws:principaltag/ostoy-s3/namespace": ["a"]}
        own = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}
        self.assertTrue(holds(own, context | {"aws:resourceaccount": [ACCOUNT]}))
        self.assertFalse(holds(own, context | {"aws:resourceaccount": [OTHER]}))
        self.assertFalse(holds(own, {"aws:resourceaccount": [ACCOUNT]}))
        pattern = "arn:aws:s3:::${aws:PrincipalTag/ostoy-s3/namespace}-bucket"
        self.assertTrue(matches(pattern, "arn:aws:s3:::a-bucket", context))
        self.assertFalse(matches(pattern, "arn:aws:s3:::b-bucket", context))
        self.assertFalse(matches(pattern, "arn:aws:s3:::-bucket", {}))

    def test_arn_parts(self):
        self.assertTrue(arn_like("arn:aws:*:*:*:*", "arn:aws:iam::1:role/a:b"))
        self.assertFalse(arn_like("arn:aws:*", "arn:aws:iam::1:role/a"))


if __name__ == "__main__":
    unittest.main()
