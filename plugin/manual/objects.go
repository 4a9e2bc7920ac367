package manual

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// project makes the project, unless an earlier run of the script has made it.
func (s Source) project() (step, error) {
	name := s.Facts.Namespace.Value
	text, err := render.YAML([]*unstructured.Unstructured{s.Project})
	if err != nil {
		return step{}, err
	}
	look := s.kube("get", "namespace/"+name, "-o", "jsonpath={."+s.Mark.Field+"}")
	create := shell.Here("  "+s.kube("create", "--field-manager="+apply.Manager, "-f", "-"), string(text))
	made := step{
		title:    "The project",
		notes:    []string{"The mark in it says that it was made for this: uninstall --delete-namespace asks for it."},
		commands: fmt.Sprintf(projectFrame, look, shell.Quote(s.Mark.Value), name, create),
	}
	if s.Project.GetKind() == "ProjectRequest" {
		made.notes = append([]string{"This is what oc new-project sends. Rights in the project follow a moment later."}, made.notes...)
		made.commands += fmt.Sprintf(rightsFrame, s.inProject("auth", "can-i", "create", "buckets.s3.services.k8s.aws", "--quiet"))
	}
	return made, nil
}

const projectFrame = `if mark=$(%[1]s 2>/dev/null); then
  if [ "$mark" != %[2]s ]; then
    refuse "project %[3]s is there already, and was not made by this"
  fi
else
%[4]sfi
`

const rightsFrame = `for _ in {1..20}; do
  if %s; then break; fi
  sleep 1
done
`

// objects are the steps for the writes of the plan: for each of them that are of
// one kind and follow each other.
func (s Source) objects() ([]step, error) {
	var steps []step
	for rest := s.Writes; len(rest) > 0; {
		n := 1
		for n < len(rest) && together(rest[0], rest[n]) {
			n++
		}
		some, last := rest[:n], n == len(rest)
		rest = rest[n:]
		if some[0].Object == nil {
			steps = append(steps, s.deletes(some))
			continue
		}
		applied, err := s.applyStep(some, last)
		if err != nil {
			return nil, err
		}
		if some[0].Record && !last && s.Writes[len(s.Writes)-1].Record {
			if applied, err = s.unlessDone(applied); err != nil {
				return nil, err
			}
		}
		steps = append(steps, applied)
		if s.Wait {
			steps = append(steps, s.waitForBucket(some)...)
		}
	}
	return steps, nil
}

// together reports whether two writes are part of one step.
func together(a, b apply.Write) bool {
	return !a.Record && !b.Record && (a.Object == nil) == (b.Object == nil) && a.Wave == b.Wave
}

// applyStep is the step that applies objects: the inventory, or some of one wave.
func (s Source) applyStep(some []apply.Write, last bool) (step, error) {
	applied := s.heading(some, last)
	for len(some) > 0 {
		n := 1
		for n < len(some) && some[n].Force == some[0].Force {
			n++
		}
		cleared, err := s.clear(some[:n])
		if err != nil {
			return step{}, err
		}
		command, err := s.apply(some[:n])
		if err != nil {
			return step{}, err
		}
		applied.commands += cleared + command
		some = some[n:]
	}
	return applied, nil
}

// unlessDone is a step for the inventory that is left out where the record already is what
// the last step writes: when the script is run again, the record of the first run stays, also
// if the second one ends early.
func (s Source) unlessDone(begin step) (step, error) {
	end := s.Writes[len(s.Writes)-1]
	data, _, err := unstructured.NestedStringMap(end.Object.Object, "data")
	if err != nil {
		return begin, err
	}
	done, err := json.Marshal(data) // as kubectl prints it: sorted, < > & escaped
	if err != nil {
		return begin, err
	}
	look := s.inProject("get", qualified(end.Ref), "--ignore-not-found", "-o", "jsonpath={.data}")
	begin.notes = append(begin.notes, "A record that already says what was done, from an earlier run of this, stays as it is.")
	begin.commands = fmt.Sprintf(recordFrame, shell.Quote(string(done)), look, "  "+begin.commands)
	return begin, nil
}

const recordFrame = `done=%[1]s
record=$(%[2]s)
if [ "$record" != "$done" ]; then
%[3]sfi
`

// heading is a step without its commands.
func (s Source) heading(some []apply.Write, last bool) step {
	switch {
	case some[0].Record && last && len(s.Writes) > 1:
		return step{title: "The inventory, with what was done", notes: []string{
			"The next install, status, check and diff go by it.",
		}}
	case some[0].Record:
		return step{title: "The inventory", notes: []string{
			"What belongs to the install, on record before the first of it is made: status and uninstall go by it.",
		}}
	}
	what := "What the app needs"
	if slices.ContainsFunc(some, isDeployment) {
		what = "The app"
	}
	applied := step{title: fmt.Sprintf("%s, wave %d", what, some[0].Wave), notes: named(some)}
	for _, write := range some {
		if len(write.Drops) > 0 {
			applied.notes = append(applied.notes, "kubectl takes from "+write.Ref.String()+" what kubectl apply once put there: "+strings.Join(write.Drops, ", "))
		}
	}
	return applied
}

// clear removes what people set beside what is applied, and with which the API server
// refuses it.
func (s Source) clear(some []apply.Write) (commands string, err error) {
	for _, write := range some {
		if write.Clears == nil {
			continue
		}
		patch, err := json.Marshal(write.Clears)
		if err != nil {
			return "", err
		}
		commands += s.inProject("patch", qualified(write.Ref), "--type=merge", "--field-manager="+apply.Manager, "-p", string(patch)) + "\n"
	}
	return commands, nil
}

// apply applies objects by one command, as our field manager.
func (s Source) apply(some []apply.Write) (string, error) {
	words := []string{"apply", "--server-side", "--field-manager=" + apply.Manager}
	if some[0].Force {
		words = append(words, "--force-conflicts")
	}
	var objects []*unstructured.Unstructured
	for _, write := range some {
		objects = append(objects, write.Object)
	}
	text, err := render.YAML(objects)
	return shell.Here(s.inProject(words...)+" -f -", string(text)), err
}

// deletes is the step that deletes objects: only the very ones that were looked
// at. They go in the background, as install has it.
func (s Source) deletes(some []apply.Write) step {
	gone := step{title: "What is no longer wanted", notes: named(some)}
	for _, write := range some {
		object := qualified(write.Ref)
		look := s.inProject("get", object, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
		gone.commands += fmt.Sprintf(deleteFrame, look, shell.Quote(string(write.UID)), s.inProject("delete", object, "--wait=false"))
	}
	return gone
}

const deleteFrame = `uid=$(%[1]s)
if [ "$uid" = %[2]s ]; then
  %[3]s
fi
`

func isDeployment(w apply.Write) bool { return w.Object != nil && w.Ref.Kind == "Deployment" }

// qualified names an object so that no other group's kind of that name is meant.
func qualified(ref apply.Ref) string {
	kind := strings.ToLower(ref.Kind)
	if ref.Group != "" {
		kind += "." + ref.Group
	}
	return kind + "/" + ref.Name
}

// named are the objects by kind and name, as lines of a comment.
func named(some []apply.Write) []string {
	const width = 100
	var lines []string
	line := ""
	for _, write := range some {
		word := write.Ref.String()
		if line != "" && len(line)+len(word) > width {
			lines, line = append(lines, line+","), ""
		} else if line != "" {
			line += ", "
		}
		line += word
	}
	return append(lines, line)
}

// waitForBucket waits for a Bucket that is among what was applied. Pods wait for
// it themselves; who follows the steps sees it here first.
func (s Source) waitForBucket(some []apply.Write) []step {
	n := slices.IndexFunc(some, func(w apply.Write) bool { return w.Ref.IsBucket() })
	if n < 0 {
		return nil
	}
	return []step{{
		title:    "Wait for the bucket",
		notes:    []string{"If it does not come, the conditions of the Bucket say why, and so does " + s.Tool.Name + " ostoy-s3 check."},
		commands: s.inProject("wait", "--for=condition=ACK.ResourceSynced", qualified(some[n].Ref), s.timeout()) + "\n",
	}}
}

func (s Source) timeout() string { return "--timeout=" + s.Timeout.String() }

// ending waits for the workload and looks whether it works.
func (s Source) ending() []step {
	var steps []step
	wait := step{title: "Wait for the pods"}
	for _, write := range s.Writes {
		if isDeployment(write) {
			wait.commands += s.inProject("rollout", "status", qualified(write.Ref), s.timeout()) + "\n"
		}
	}
	if s.Wait && wait.commands != "" {
		steps = append(steps, wait)
	}
	return append(steps, s.look())
}

// look tells how to see that it works.
func (s Source) look() step {
	look := step{title: "Look whether it works", commands: s.address()}
	if s.Verify {
		look.notes = append(look.notes, "To verify the app's access to its bucket and that other access is refused:", "  "+s.verify())
	}
	return look
}

// verify is the command that proves that it works; a plugin's flags come last.
func (s Source) verify() string {
	words := append([]string{s.Tool.Name, "ostoy-s3", "verify", "-n", s.Facts.Namespace.Value}, s.Tool.Flags...)
	if s.Profile != "" {
		words = append(words, "--profile", s.Profile)
	}
	return shell.Words(words...)
}

// address prints where the app is, or what shows it.
func (s Source) address() string {
	if s.Expose == nil {
		return comment("for http://localhost:8080, until Ctrl-C:") + comment(s.inProject("port-forward", "service/ostoy-frontend-svc", "8080:8080"))
	}
	ref := qualified(apply.RefOf(s.Expose))
	if s.Expose.GetKind() != "Route" {
		return s.inProject("get", ref) + "\n"
	}
	scheme := "http"
	if _, encrypted, _ := unstructured.NestedMap(s.Expose.Object, "spec", "tls"); encrypted {
		scheme = "https"
	}
	return s.inProject("get", ref, "-o", "jsonpath="+scheme+`://{.spec.host}{"\n"}`) + "\n"
}
