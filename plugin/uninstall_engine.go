package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// onlyEngine refuses to uninstall an app that Argo CD, Flux or Helm alone manages.
// There is nothing in the cluster that this tool applied, and the engine restores
// whatever is deleted. Data that the engine leaves when the app has left Git is no
// reason: then role and bucket are looked at as usual.
func (u *uninstall) onlyEngine() error {
	r := u.removal
	if u.request.RoleOnly || len(r.Objects)+len(r.Volumes) > 0 || r.Bucket != nil {
		return nil
	}
	var engines, sources []string
	var managed []apply.Ref
	add := func(names []string, name string) []string {
		if name == "" || slices.Contains(names, name) {
			return names
		}
		return append(names, name)
	}
	active := false
	for _, item := range r.Kept {
		by := ""
		if item.Live != nil {
			by = apply.DeliveredBy(item.Live)
		}
		if by == "" {
			continue
		}
		engines, sources = add(engines, by), add(sources, apply.Source(item.Live))
		managed = append(managed, item.Ref)
		active = active || !isData(item.Ref)
	}
	if !active {
		return nil
	}
	engine := strings.Join(engines, " and ")
	next := removeFrom(engines) + ", then run the same command again for the role and the bucket"
	if r.InventoryOurs { // a release was interrupted: the next one deletes the inventory
		next = "end the release: " + advice.Command("oc ostoy-s3 release -n", u.namespace()) + "; or " + next
	}
	from := ""
	if len(sources) > 0 {
		from = " (" + strings.Join(sources, ", ") + ")"
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("project %s is managed by %s%s and not by ostoy-s3", u.namespace(), engine, from),
		Why: fmt.Sprintf("%s manages %s and restores what is deleted here; the IAM role and the bucket are in use",
			engine, strings.Join(named(managed), ", ")),
		Next: next,
	}
}

// removeFrom is how an app is removed from what manages it.
func removeFrom(engines []string) string {
	if slices.Equal(engines, []string{apply.Helm}) {
		return "uninstall the Helm release"
	}
	return "remove the app from Git"
}

func isData(ref apply.Ref) bool { return ref.IsBucket() || ref.IsVolume() }

// nextOfKept is the command for an object that is kept because it is not managed by
// ostoy-s3. Data is never deleted by a command printed here, and what an engine
// manages would come back.
func (u *uninstall) nextOfKept(item *apply.Item) string {
	by := ""
	if item.Live != nil {
		by = apply.DeliveredBy(item.Live)
	}
	switch {
	case by != "" && isData(item.Ref):
		return "after it is removed from Git, take it over: " + advice.Command("oc ostoy-s3 install -n", u.namespace(), "--force-owner") + ", then uninstall again"
	case by != "":
		return removeFrom([]string{by})
	case isData(item.Ref):
		return ""
	}
	return advice.Command("oc delete", item.Ref.Resource(), "-n", u.namespace())
}

// deleteProjectCommand is the command that deletes the project by hand; "" where a volume
// or a Bucket resource that is kept would go with it.
func (u *uninstall) deleteProjectCommand() string {
	keptData := func(l *line) bool { return l.fate == fateKept && l.item != nil && isData(l.item.Ref) }
	if slices.ContainsFunc(u.lines, keptData) {
		return ""
	}
	return advice.Command("oc delete project", u.namespace())
}
