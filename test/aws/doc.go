// Package aws holds the AWS of the test bed: moto, started through a small
// wrapper that closes the gaps between moto and AWS on which our tests stand. The gaps are
// those of the version of moto in requirements.txt.
//
// The wrapper answers 403 for buckets of other accounts and for a wrong
// ExpectedBucketOwner, gives new buckets the defaults AWS gives them, refuses
// bucket names AWS refuses, checks web identity tokens against provider and
// trust policy, and holds a role that was assumed with such a token to its
// permissions, and plays CloudTrail's event history. Tests can make it refuse, throttle and delay requests, and read
// back what was asked, at /testbed/ on the same port. With Enforce it evaluates the
// policies of every caller (authorize.py, actions.py, enforce.py) and plays Block
// Public Access (public.py). Session policies and those of an organization are not
// implemented.
//
// This package only carries the files; package testbed runs them.
package aws

import "embed"

// Files are the Python sources of the wrapper, and requirements.txt, which pins
// all that pip installs for them; cli.txt is for the aws command line.
//
//go:embed *.py requirements.txt cli.txt
var Files embed.FS

// Main is the name of the file to start: `python <Main> PORT`. The environment
// variable TESTBED_TOKEN_KEY names the PEM file with the public key of the
// cluster's service account tokens.
const Main = "server.py"

// Enforce is the argument after the port with which every request is evaluated
// against identity, resource and trust policies and permissions boundaries.
const Enforce = "enforce"
