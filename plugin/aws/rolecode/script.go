package rolecode

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// script is a bash script of aws commands that can be repeated. It makes the
// role where there is none, and changes one only if install would: one of ours,
// or any, where that was allowed. Its documents stand in it as variables.
func script(s Source) (string, error) {
	absent, present := s.Role.Whole()
	values, err := variables(s, absent)
	if err != nil {
		return "", err
	}
	commands, err := commandsOf(s, absent, present)
	if err != nil {
		return "", err
	}
	return "#!/usr/bin/env bash\n" + s.about(AWS) + scriptNote + "set -euo pipefail\n" + surroundings(s) + values + refusal + accountGuard + commands, nil
}

// Steps are the commands of a plan, for a bash script that has set -euo pipefail
// and a function refuse of its own, which says its argument and ends the script.
// guard comes before the first step of the script: it refuses credentials of
// another account. Both can be repeated. A plan that makes the role puts right
// one that is there by then; a plan that changes it does not make it. The plan
// has steps, and is for the source's role.
func Steps(s Source, plan *iam.Plan) (guard, commands string, err error) {
	absent, present := s.Role.Whole()
	told := absent
	if !plan.Creates() {
		absent, present, told = nil, plan.Steps, plan.Steps
	}
	values, err := variables(s, told)
	if err != nil {
		return "", "", err
	}
	commands, err = commandsOf(s, absent, present)
	return surroundings(s) + accountGuard, values + commands, err
}

// surroundings sets what all commands depend on.
func surroundings(s Source) string {
	region := shell.Quote(s.Facts.Region.Value)
	return "export AWS_PAGER='' AWS_REGION=" + region + " AWS_DEFAULT_REGION=" + region + "\n\naccount=" + shell.Quote(s.Facts.Account.Value) + "\n"
}

// variables sets what the commands of these steps use.
func variables(s Source, steps []iam.Step) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "role=%s\narn=%s\n", shell.Quote(s.Role.Name), shell.Quote(s.Role.ARN))
	var tagged string
	for _, step := range steps {
		switch {
		case step.Document == nil:
		case step.Kind == iam.PutPolicy:
			fmt.Fprintf(&b, "policy=%s\n", shell.Quote(step.Document.Pretty()))
		default:
			fmt.Fprintf(&b, "trust=%s\n", shell.Quote(readable(*step.Document)))
		}
		if len(step.Tags) > 0 {
			tags, err := marshal(tagList(step.Tags), "  ")
			if err != nil {
				return "", err
			}
			tagged = "tags=" + shell.Quote(strings.TrimSpace(tags)) + "\n"
		}
	}
	return b.String() + tagged, nil
}

// commandsOf are the guard and the commands: for a role that is not there, and for
// one that is. Without the former a role that is not there is an error.
func commandsOf(s Source, absent, present []iam.Step) (string, error) {
	var made, changed strings.Builder
	for b, steps := range map[*strings.Builder][]iam.Step{&made: absent, &changed: present} {
		for _, step := range steps {
			if err := command(s, b, step); err != nil {
				return "", err
			}
		}
	}
	missing := notMissing
	if len(absent) == 0 {
		missing = unreadable
	}
	return fmt.Sprintf(roleFrame, guard(s), changed.String(), missing, made.String()), nil
}

const scriptNote = `#
# It can be run again: a role that is there is put right. It ends with code 4, and
# changes nothing, if the role of that name is not ours.
`

// What becomes of a role that cannot be read: an error, unless it is because it
// is not there, and is to be made.
const (
	unreadable = `  printf '%s\n' "$trouble" >&2
  exit 1
`
	notMissing = `  case $trouble in
    *NoSuchEntity*) ;;
    *)
      printf '%s\n' "$trouble" >&2
      exit 1
      ;;
  esac
`
)

const refusal = `
refuse() {
  printf '%s\n' "$1" "nothing was changed" >&2
  exit 4
}
`

const accountGuard = `
caller=$(aws sts get-caller-identity --query Account --output text)
if [ "$caller" != "$account" ]; then
  refuse "the AWS credentials are of account $caller, the role is for account $account"
fi
`

// roleFrame takes the guard and the commands for a role that is there, and what
// becomes of one that is not.
const roleFrame = `
if trouble=$(aws iam get-role --role-name="$role" 2>&1 >/dev/null); then
%[1]s%[2]selse
%[3]s%[4]sfi
printf '%%s\n' "$arn"
`

// guard lets only a role pass that install would change (iam.NewPlan): at the
// same place, and with our tags. One that has no cluster id yet is ours, too.
func guard(s Source) string {
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
		ours += `"$tab"` + shell.Quote(s.Role.Tags[key])
	}
	pattern := `"$ours"`
	if id := s.Role.Tags[render.TagClusterID]; id != "" {
		query += ", " + tagQuery(render.TagClusterID)
		pattern = `"$ours$tab"` + shell.Quote(id) + ` | "$ours${tab}None"`
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
func command(s Source, b *strings.Builder, step iam.Step) error {
	r, err := requestOf(s.Role, step)
	if err != nil {
		return err
	}
	indent := "  "
	there := onlyIfThere(step)
	if there != "" {
		b.WriteString("  if " + there + "; then\n")
		indent = "    "
	}
	b.WriteString(indent + "aws iam " + kebab(r.operation))
	for _, p := range r.params {
		b.WriteString(" \\\n" + indent + "  --" + kebab(p.name) + "=" + argument(step, p))
	}
	if step.Kind == iam.CreateRole {
		b.WriteString(" >/dev/null\n  aws iam wait role-exists --role-name=\"$role\"")
	}
	b.WriteString("\n")
	if there != "" {
		b.WriteString("  fi\n")
	}
	return nil
}

// onlyIfThere is the condition of a command that takes a policy away: one that is
// not there is none to take. "" for all others.
func onlyIfThere(step iam.Step) string {
	switch step.Kind {
	case iam.DeletePolicy:
		return `aws iam get-role-policy --role-name="$role" --policy-name=` + shell.Quote(step.PolicyName) + " >/dev/null 2>&1"
	case iam.DetachPolicy:
		attached := shell.Quote("contains(AttachedPolicies[].PolicyArn, '" + step.PolicyARN + "')")
		return `[ "$(aws iam list-attached-role-policies --role-name="$role" --output=text --query=` + attached + `)" = True ]`
	}
	return ""
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
		return shell.Quote(value)
	}
	return "''"
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
