// Package rolecode prints a role as code: for people, and for the engines that
// make roles instead of us. The use cases iam render and iam plan call it.
//
// Every format is made of the one description of the role (iam.Role) and of the
// one list of steps to it (iam.Role.Whole, iam.Plan), never of facts or flags, so
// that what is printed and what install does cannot drift apart. It is pure: it
// asks nobody, writes nowhere, knows no clock, and gives the same bytes for the
// same role.
package rolecode

import (
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Format is a way to write a role.
type Format string

// The formats.
const (
	Text           Format = "text"           // for people
	AWS            Format = "aws"            // a bash script of aws commands
	JSON           Format = "json"           // requests as the aws CLI's --cli-input-json takes them
	CloudFormation Format = "cloudformation" // a template
	Terraform      Format = "terraform"      // HCL
	ACK            Format = "ack"            // an object for ACK's IAM controller
)

// Formats are all formats, the default first.
func Formats() []Format {
	return []Format{Text, AWS, JSON, CloudFormation, Terraform, ACK}
}

// Source is a role to be printed, and what else the formats say of it. Role has
// to be of Facts.
type Source struct {
	Role   iam.Role
	Facts  render.Facts // account, region, issuer, partition
	Import bool         // Terraform takes over a role that exists
}

// Print gives the role in a format.
func Print(format Format, s Source) (string, error) {
	switch format {
	case Text:
		return s.text(), nil
	case AWS:
		return s.script()
	case JSON:
		return s.requests()
	case CloudFormation:
		return s.template()
	case Terraform:
		return s.terraform(), nil
	case ACK:
		return s.object()
	}
	return "", fmt.Errorf("format %q is not known", format)
}

// about is the first line of every format that has comments.
func (s Source) about(format Format) string {
	return "# The IAM role " + s.Role.Label() + ", as printed by: oc ostoy-s3 iam render --format " + string(format) + "\n"
}

// account is namespace and name of the service account that may assume the role.
func (s Source) account() (namespace, name string) {
	namespace, name, _ = strings.Cut(strings.TrimPrefix(s.Role.Subject, "system:serviceaccount:"), ":")
	return namespace, name
}

// maxTrust is the default quota of a trust policy, in characters ("IAM and AWS
// STS quotas" of the IAM User Guide).
const maxTrust = 2048

// readable is a document for an engine that sends it as it stands: indented,
// unless that made it too long. Whether blanks count against the quota of a trust
// policy is not documented.
func readable(d iam.Document) string {
	if text := d.Pretty(); len(text) <= maxTrust {
		return text
	}
	return d.JSON()
}
