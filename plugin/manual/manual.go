// Package manual writes an install as the commands that a person would type: a
// bash script that reads like instructions, for who reviews and runs them in
// place of install. The use case install --mode manual calls it.
//
// It is one more printer of the plans that install carries out (apply.Plan by its
// Writes, iam.Plan by package rolecode): what it is given is printed, and nothing
// is added but waiting and looking. It is pure. It never asks a cluster or AWS,
// never decides whether something is to be done, and runs nothing.
package manual

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/rolecode"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The programs that can speak to a cluster.
const (
	OC      = "oc"      // on OpenShift
	Kubectl = "kubectl" // elsewhere
)

// Source is an install to be printed. Without Project, Writes and steps of the
// Role there is nothing to print.
type Source struct {
	Tool    Tool
	Profile string // of the AWS configuration; "": the usual one
	Facts   render.Facts

	// Project is a ProjectRequest or a Namespace, to be created; nil if it is there.
	Project *unstructured.Unstructured
	Mark    Mark
	Use     string // kubeconfig context that is to use the project; "": none

	Writes []apply.Write
	Role   *iam.Plan

	Wait    bool                       // print the commands that wait
	Timeout time.Duration              // of each of them
	Verify  bool                       // tell of the proof
	Expose  *unstructured.Unstructured // Route or Ingress; nil: there is none
}

// Tool is what speaks to the cluster.
type Tool struct {
	Name   string   // OC or Kubectl
	Flags  []string // which lead to the cluster: "--context=prod"
	Server string   // URL of the API server that they lead to; "": not held against
}

// Mark is what tells a project that was made by this: a field of the namespace
// and its value.
type Mark struct {
	Field string // as kubectl's JSONPath has it: metadata.labels.team
	Value string
}

// step is a heading and what is typed below it.
type step struct {
	title    string
	notes    []string // lines of comment
	commands string   // ends in a line feed
}

// Print gives the script. The same Source gives the same bytes. It can be run
// again, and ends with code 4 where it finds something else than it was printed
// for.
func Print(s Source) (string, error) {
	steps, guard, err := s.steps()
	if err != nil {
		return "", err
	}
	return s.script(steps, guard), nil
}

// PrintProject gives the script that creates the project alone, and names the command that
// prints the rest: it depends on the cluster's issuer, which is known once the project exists.
func PrintProject(s Source, next string) (string, error) {
	project, err := s.project()
	if err != nil {
		return "", err
	}
	steps := append([]step{project}, s.use()...)
	return s.script(append(steps, step{
		title:    "The rest",
		notes:    []string{"The cluster's issuer, and with it the name of the role, is known now. This prints the rest:", "  " + next},
		commands: shell.Words("echo", "next: "+next) + " >&2\n",
	}), ""), nil
}

func (s Source) script(steps []step, guard string) string {
	var b strings.Builder
	b.WriteString(s.head())
	b.WriteString(s.serverGuard())
	b.WriteString(guard)
	for n, step := range steps {
		fmt.Fprintf(&b, "\n\n# %d. %s\n", n+1, step.title)
		for _, note := range step.notes {
			b.WriteString(comment(note))
		}
		b.WriteString("\n" + step.commands)
	}
	return b.String()
}

// comment is a line of comment, whatever is in the text.
func comment(text string) string {
	return "# " + strings.NewReplacer("\n", " ", "\r", " ").Replace(text) + "\n"
}

// steps are all steps, in the order of install, and what is held against AWS
// before the first of them.
func (s Source) steps() (steps []step, guard string, err error) {
	if s.Project != nil {
		project, err := s.project()
		if err != nil {
			return nil, "", err
		}
		steps = append(steps, project)
	}
	steps = append(steps, s.use()...)
	objects, err := s.objects()
	if err != nil {
		return nil, "", err
	}
	first := 0
	if len(s.Writes) > 0 && s.Writes[0].Record {
		first = 1 // it names the role, and so comes before it
	}
	steps = append(steps, objects[:first]...)
	if s.Role != nil && !s.Role.Empty() {
		var role step
		if role, guard, err = s.role(); err != nil {
			return nil, "", err
		}
		steps = append(steps, role)
	}
	steps = append(steps, objects[first:]...)
	return append(steps, s.ending()...), guard, nil
}

// use is the step for --use, if it was given.
func (s Source) use() []step {
	if s.Use == "" {
		return nil
	}
	return []step{{
		title: "The kubeconfig", notes: []string{"The project becomes the one of its context, as --use says."},
		commands: s.inProject("config", "set-context", s.Use) + "\n",
	}}
}

// head says what this is, and sets up the shell.
func (s Source) head() string {
	var b strings.Builder
	namespace := s.Facts.Namespace.Value
	fmt.Fprintf(&b, "#!/usr/bin/env bash\n# OSToy with its own S3 bucket in project %s, as printed by: %s ostoy-s3 install --mode manual\n", namespace, s.Tool.Name)
	fmt.Fprintf(&b, headNote, s.Tool.Name)
	if s.applies("Bucket") {
		b.WriteString(bucketNote)
	}
	if s.applies("Secret") {
		b.WriteString(secretNote)
	}
	b.WriteString("set -euo pipefail\n")
	if s.Profile != "" {
		b.WriteString("export AWS_PROFILE=" + shell.Quote(s.Profile) + "\n")
	}
	b.WriteString(refusal)
	return b.String()
}

const headNote = `#
# Run all of it (bash FILE), or one step after the other in a bash of its own. It
# takes %s, and aws where there is a step for the role. It can be run again. It ends
# with code 4 if something is not what it was when this was printed.
`

const bucketNote = `#
# Whose the bucket of that name is, if anybody's, was looked at when this was printed.
# It is not looked at again.
`

const secretNote = `#
# It holds what the Secrets hold.
`

// applies reports whether an object of that kind is among what is applied.
func (s Source) applies(kind string) bool {
	return slices.ContainsFunc(s.Writes, func(w apply.Write) bool { return w.Object != nil && w.Ref.Kind == kind })
}

const refusal = `
refuse() {
  printf '%s\n' "$1" "stopped here; what the steps before this one did stays" >&2
  exit 4
}
`

// serverGuard ends the script at another cluster: objects and role are of one.
func (s Source) serverGuard() string {
	if s.Tool.Server == "" {
		return ""
	}
	look := s.kube("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
	return fmt.Sprintf(serverFrame, shell.Quote(s.Tool.Server), look, s.Tool.Name)
}

const serverFrame = `
cluster=%[1]s
server=$(%[2]s)
if [ "$server" != "$cluster" ]; then
  refuse "%[3]s would change $server, this is for $cluster"
fi
`

// kube is a command of oc or kubectl.
func (s Source) kube(words ...string) string {
	return shell.Words(append(append([]string{s.Tool.Name}, s.Tool.Flags...), words...)...)
}

// inProject is kube in the project.
func (s Source) inProject(words ...string) string {
	return s.kube(append(words, "--namespace="+s.Facts.Namespace.Value)...)
}

// role is the step for the role, and what comes before the first step.
func (s Source) role() (role step, guard string, err error) {
	source := rolecode.Source{Role: s.Role.Role, Facts: s.Facts}
	guard, commands, err := rolecode.Steps(source, s.Role)
	return step{
		title:    "The role",
		notes:    []string{"Its trust policy names one service account, and its policy one bucket."},
		commands: commands,
	}, "\n" + guard, err
}
