"""Unit tests of public.py: python public_test.py"""

import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from public import blocks, public, restricts  # noqa: E402


def document(**more):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"} | more
    return {"Version": "2012-10-17", "Statement": [statement]}


def bucket(policy=None, **settings):
    settings = types.SimpleNamespace(**{"block_public_policy": False, "restrict_public_buckets": False} | settings)
    return types.SimpleNamespace(policy=policy, public_access_block=settings)


class Public(unittest.TestCase):
    def test_everybody(self):
        for principal in ("*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::123456789012:root", "*"]}):
            self.assertTrue(public(document(Principal=principal)), principal)
        self.assertFalse(public(document(Principal={"AWS": "arn:aws:iam::123456789012:role/x"})))
        self.assertFalse(public(document(Principal={"Service": "logging.s3.amazonaws.com"})))
        self.assertFalse(public(document(Effect="Deny")))
        self.assertTrue(public('{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}'))

    def test_conditions(self):
        for operator, key, value, expected in (
            ("StringEquals", "aws:SourceVpc", "vpc-1", False),
            ("StringLike", "AWS:sourcevpc", "vpc-*", True),
            ("StringEquals", "aws:PrincipalOrgID", ["o-1", "o-2"], False),
            ("StringEqualsIfExists", "aws:SourceVpc", "vpc-1", True),
            ("StringNotEquals", "aws:SourceVpc", "vpc-1", True),
            ("Bool", "aws:SecureTransport", "true", True),
            ("IpAddress", "aws:SourceIp", "192.0.2.0/24", False),
        ):
            self.assertEqual(public(document(Condition={operator: {key: value}})), expected, (operator, key, value))

    def test_block_public_access(self):
        self.assertTrue(blocks(bucket(block_public_policy=True), document()))
        self.assertFalse(blocks(bucket(restrict_public_buckets=True), document()))
        self.assertTrue(restricts(bucket(document(), restrict_public_buckets=True)))
        self.assertFalse(restricts(bucket(document(), block_public_policy=True)))
        self.assertFalse(restricts(bucket(restrict_public_buckets=True)))
        self.assertFalse(blocks(types.SimpleNamespace(public_access_block=None), document()))


if __name__ == "__main__":
    unittest.main()
