package live

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

// How many are named: in a sentence, and in a list. A user who can create RoleBindings
// decides how many there are.
const (
	mostInText = 5
	mostListed = 20
)

// ActAs is what follows from permissions to write to the namespace of a controller.
const ActAs = "They can act as the controller's service account, " +
	"which has the controller's AWS role and is exempt from the admission policy for Buckets"

// plainName is a name that an advised command repeats. RBAC allows nearly any name: one
// that begins with a dash is an option, and one with a line feed is a command of its own
// (apimachinery, IsValidPathSegmentName).
func plainName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:._-]{0,252}$`).MatchString(name)
}

func (w Writer) String() string {
	by := w.By
	if w.Binding != "" && !plainName(w.Binding) {
		by = "a RoleBinding whose name is not repeated"
	}
	return strings.ToLower(w.Kind) + " " + shownName(w.Name) + " (" + plain.Line(by) + ")"
}

// shownName is the name of a user or group on one line, and no longer than one.
func shownName(name string) string {
	const longest = 100
	runes := []rune(plain.Line(name))
	if len(runes) > longest {
		return string(runes[:longest]) + "..."
	}
	return string(runes)
}

// Names are those of whom it is known, the first twenty.
func (w Writers) Names() []string {
	var names []string
	for _, one := range w.Known() {
		if len(names) < mostListed {
			names = append(names, one.String())
		}
	}
	return names
}

// few names the first of some, and how many there are besides.
func (w Writers) few() string {
	var names []string
	for _, one := range w[:min(len(w), mostInText)] {
		names = append(names, one.String())
	}
	text := strings.Join(names, ", ")
	if more := len(w) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Why is who they are and what follows from it, in sentences, those of whom it is known
// apart from the others.
func (w Writers) Why() string {
	var all []string
	if known := w.Known(); len(known) > 0 {
		all = append(all, "with permissions in it, but not in the whole cluster: "+known.few()+". "+ActAs)
	}
	if unknown := w.unknown(); len(unknown) > 0 {
		all = append(all, "whether these can act as the controller is not known: "+unknown.few()+"; requires "+w.Needs())
	}
	if n := w.unseen(); n > 0 {
		all = append(all, fmt.Sprintf("subjects of RoleBindings that were not looked at, because at most %d are: %d", mostAsked, n))
	}
	return strings.Join(all, ". ")
}

// Revoke are the commands that delete the RoleBindings of those of whom it is known,
// sorted. Where there are others, or too many, or one whose name is not repeated, the
// last command lists the RoleBindings.
func (w Writers) Revoke(namespace string) []string {
	var commands []string
	list := len(w.Known()) < len(w)
	for _, one := range w.Known() {
		switch {
		case one.Binding == "":
		case !plainName(one.Binding):
			list = true
		default:
			commands = append(commands, advice.Command("oc delete", "-n", namespace, "rolebinding/"+one.Binding))
		}
	}
	slices.Sort(commands)
	if commands = slices.Compact(commands); len(commands) > mostListed {
		commands, list = commands[:mostListed], true
	}
	if list {
		commands = append(commands, advice.Command("oc get rolebindings", "-n", namespace))
	}
	return commands
}
