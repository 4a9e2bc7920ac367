package verify

import (
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Flag is a flag that the user gave, as verify and install both have it.
type Flag struct{ Name, Value string }

// Flags say which install is meant: --account-id, --role-name and the like.
type Flags []Flag

// with are the flags with further ones; one of the same name takes the place of the
// user's.
func (f Flags) with(more ...Flag) Flags {
	kept := slices.DeleteFunc(slices.Clone(f), func(one Flag) bool {
		return slices.ContainsFunc(more, func(m Flag) bool { return m.Name == one.Name })
	})
	return append(kept, more...)
}

func (f Flags) have(name string) bool {
	return slices.ContainsFunc(f, func(one Flag) bool { return one.Name == name })
}

// naming are the flags with those that name the role of the install, which IAM has
// confirmed, unless the user gave them or install finds it without: by the names that it
// computes. Without them install would create another role.
func (f Flags) naming(role render.ARN, computed []string) Flags {
	if f.have("--role-name") || f.have("--role-path") {
		return f
	}
	if name := role.Name(); !slices.Contains(computed, name) {
		f = f.with(Flag{"--role-name", name})
	}
	if path := role.Path(); path != render.RolePath {
		f = f.with(Flag{"--role-path", path})
	}
	return f
}

// flagIAM is the flag of install alone that says who manages the role.
const flagIAM = "--iam"

// IAMSkip is --iam=skip: another tool manages the role. Commands of verify leave it out.
func IAMSkip() Flag { return Flag{flagIAM, "skip"} }

// ofVerify are the flags that verify has, too.
func (f Flags) ofVerify() Flags {
	return slices.DeleteFunc(slices.Clone(f), func(one Flag) bool { return one.Name == flagIAM })
}

// Words are the flags as words of a command.
func (f Flags) Words() []string {
	var words []string
	for _, one := range f {
		if one.Name == flagIAM { // as the docs write it: --iam=skip
			words = append(words, one.Name+"="+one.Value)
			continue
		}
		words = append(words, advice.Flag(one.Name, one.Value)...)
	}
	return words
}

// again is the command that verifies the same install once more, with the user's flags
// and further ones.
func (t Target) again(more ...Flag) string {
	return advice.Command("oc ostoy-s3 verify", append([]string{"-n", t.Namespace}, t.Flags.ofVerify().with(more...).Words()...)...)
}

// install is the command that installs what is verified, with the user's flags.
func (t Target) install() string {
	return advice.Command("oc ostoy-s3 install", append([]string{"-n", t.Namespace}, t.Flags.Words()...)...)
}

// ifChanged adds install to advice against pods and annotations that do not match the
// install's. It is not the first advice: an install with --role-name or --audience is
// correct, and install without these flags would replace it with another one.
func (r *run) ifChanged(first string) string {
	return first + "\nif somebody changed the pods or the service account, restore them with the flags that the install had:\n" + r.installs("")
}

// installs is install as advice: what it does, and what the inventory says about the role.
func (r *run) installs(what string) string {
	advised := r.install() + what
	if r.options.Given == nil || len(r.Flags.ofVerify()) < len(r.Flags) {
		return advised
	}
	return advised + "\n" + advice.ManagedByOthers
}
