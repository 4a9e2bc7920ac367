package rolecode

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// script is a bash script of aws commands that can be repeated. It makes the
// role where there is none, and changes one only if install would: one of ours,
// or any, where that was allowed. Its documents stand in it as variables.
func (s Source) script() (string, error) {
	absent, present := s.Role.Whole()
	var made, changed strings.Builder
	for _, step := range absent {
		if err := s.command(&made, step); err != nil {
			return "", err
		}
		if step.Kind == iam.CreateRole {
			made.WriteString("  aws iam wait role-exists --role-name=\"$role\"\n")
		}
	}
	for _, step := range present {
		if err := s.command(&changed, step); err != nil {
			return "", err
		}
	}
	tags, err := marshal(tagList(s.Role.Tags), "  ")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("#!/usr/bin/env bash\n" + s.about(AWS) + scriptNote)
	fmt.Fprintf(&b, "set -euo pipefail\nexport AWS_PAGER='' AWS_REGION=%[1]s AWS_DEFAULT_REGION=%[1]s\n\n", quote(s.Facts.Region.Value))
	fmt.Fprintf(&b, "account=%s\nrole=%s\narn=%s\n", quote(s.Facts.Account.Value), quote(s.Role.Name), quote(s.Role.ARN))
	fmt.Fprintf(&b, "trust=%s\n", quote(readable(s.Role.Trust)))
	if s.Role.Policy != nil {
		fmt.Fprintf(&b, "policy=%s\n", quote(s.Role.Policy.Pretty()))
	}
	fmt.Fprintf(&b, "tags=%s\n", quote(strings.TrimSpace(tags)))
	fmt.Fprintf(&b, scriptFrame, s.guard(), changed.String(), made.String())
	return b.String(), nil
}

const scriptNote = `#
# It can be run again: a role that is there is put right. It ends with code 4, and
# changes nothing, if the role of that name is not ours.
`

// scriptFrame takes the guard and the commands for a role that is there, and the
// commands for one that is not.
const scriptFrame = `
refuse() {
  printf '%%s\n' "$1" "nothing was changed" >&2
  exit 4
}

caller=$(aws sts get-caller-identity --query Account --output text)
if [ "$caller" != "$account" ]; then
  refuse "the AWS credentials are of account $caller, the role is for account $account"
fi

if trouble=$(aws iam get-role --role-name="$role" 2>&1 >/dev/null); then
%[1]s%[2]selse
  case $trouble in
    *NoSuchEntity*) ;;
    *)
      printf '%%s\n' "$trouble" >&2
      exit 1
      ;;
  esac
%[3]sfi
printf '%%s\n' "$arn"
`

// guard lets only a role pass that install would change (iam.NewPlan): at the
// same place, and with our tags. One that has no cluster id yet is ours, too.
func (s Source) guard() string {
	if s.Role.Adopt {
		return `  found=$(aws iam get-role --role-name="$role" --query Role.Arn --output text)
  if [ "$found" != "$arn" ]; then
    refuse "the role of that name is $found, not $arn"
  fi
`
	}
	query, ours := "Arn", `"$arn"`
	for _, key := range []string{render.TagManagedBy, render.TagIssuer, render.TagNamespace} {
		query += ", " + tagQuery(key)
		ours += `"$tab"` + quote(s.Role.Tags[key])
	}
	pattern := `"$ours"`
	if id := s.Role.Tags[render.TagClusterID]; id != "" {
		query += ", " + tagQuery(render.TagClusterID)
		pattern = `"$ours$tab"` + quote(id) + ` | "$ours${tab}None"`
	}
	return fmt.Sprintf(`  tab=$(printf '\t')
  ours=%s
  found=$(aws iam get-role --role-name="$role" --output text \
    --query "Role.[%s]")
  case $found in
    %s) ;;
    *) refuse "the role $arn is not ours, by its ARN and tags: $found" ;;
  esac
`, ours, query, pattern)
}

// tagQuery asks for the value of a tag.
func tagQuery(key string) string { return "Tags[?Key=='" + key + "'] | [0].Value" }

// command writes the aws command of a step. Options have their value behind an
// equals sign: a role's name may begin with a hyphen.
func (s Source) command(b *strings.Builder, step iam.Step) error {
	r, err := requestOf(s.Role, step)
	if err != nil {
		return err
	}
	indent := "  "
	if step.Kind == iam.DeletePolicy { // one that is not there is none to delete
		fmt.Fprintf(b, "  if aws iam get-role-policy --role-name=\"$role\" --policy-name=%s >/dev/null 2>&1; then\n", quote(step.PolicyName))
		indent = "    "
	}
	b.WriteString(indent + "aws iam " + kebab(r.operation))
	for _, p := range r.params {
		b.WriteString(" \\\n" + indent + "  --" + kebab(p.name) + "=" + argument(step, p))
	}
	if step.Kind == iam.CreateRole {
		b.WriteString(" >/dev/null")
	}
	b.WriteString("\n")
	if step.Kind == iam.DeletePolicy {
		b.WriteString("  fi\n")
	}
	return nil
}

// argument is a parameter's value, by the variable that holds it if one does.
func argument(step iam.Step, p param) string {
	switch value := p.value.(type) {
	case iam.Document:
		if step.Kind == iam.PutPolicy {
			return `"$policy"`
		}
		return `"$trust"`
	case []tag:
		return `"$tags"`
	case string:
		if p.name == "RoleName" {
			return `"$role"`
		}
		return quote(value)
	}
	return "''"
}

// quote makes one word of any text, for every shell.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// kebab spells RoleName as the CLI does, role-name.
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
