// Package install makes bucket, role and app, in one command that can be repeated:
//
//	Look (package project) → Prepare, Plan (package plan) → announce → Execute → Await → verify
//
// Until the plan is printed nothing is touched; one exception is a new project that is
// needed to learn the issuer, which a refusal removes again.
package install
