package cmd

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// replacedBy is the annotation of a hidden flag that names the flag to use instead. (pflag
// has a field for that, but cobra prints the line that follows from it to stdout.)
const replacedBy = "replaced-by"

// adoptRoleUsage is what the word role of --adopt means where a role is made.
const adoptRoleUsage = "role (take over a role of that name that this tool did not make for this project)"

// adoptWords is the value of --adopt: words of those that a command knows.
type adoptWords struct {
	given, known adopt.Set
	tell         func(adopt.Set)
}

// addAdopt adds --adopt with the words that the command knows, and the flags that were
// there before it, hidden. tell gets what is given so far.
func addAdopt(c *cobra.Command, known adopt.Set, usage string, tell func(adopt.Set)) {
	flags, words := c.Flags(), &adoptWords{known: known, tell: tell}
	flags.Var(words, "adopt", usage+"; may be repeated")
	completeFlag(c, "adopt", known.Words()...)
	if known.Tutorial() { // uninstall does not know it, and has never had --adopt-bucket
		flags.Lookup("adopt").NoOptDefVal = adopt.Tutorial.Words()[0]
		addReplaced(flags, words, "adopt-bucket", adopt.Bucket)
	}
	addReplaced(flags, words, "adopt-role", adopt.Role)
}

// Set implements pflag.Value. Where it knows the tutorial, --adopt was a switch for it, so
// true and false are among its values.
func (w *adoptWords) Set(text string) error {
	if is, err := strconv.ParseBool(text); err == nil && w.known.Tutorial() {
		w.put(adopt.Tutorial, is)
		return nil
	}
	var all adopt.Set
	for word := range strings.SplitSeq(text, ",") {
		what := adoptWord(word)
		if what&w.known == 0 {
			return fmt.Errorf("its words are %s", strings.Join(w.known.Words(), ", "))
		}
		all |= what
	}
	w.put(all, true)
	return nil
}

// adoptWord is the set of one word, empty for a word that no command knows.
func adoptWord(word string) adopt.Set {
	for _, what := range []adopt.Set{adopt.Tutorial, adopt.Bucket, adopt.Role} {
		if what.Words()[0] == word {
			return what
		}
	}
	return 0
}

func (w *adoptWords) put(what adopt.Set, is bool) {
	w.given = w.given.With(what, is)
	w.tell(w.given)
}

// String implements pflag.Value.
func (w *adoptWords) String() string { return strings.Join(w.given.Words(), ",") }

// Type implements pflag.Value.
func (*adoptWords) Type() string { return "words" }

// addReplaced adds a switch for one word of --adopt. It works, and says what to use instead.
func addReplaced(flags *pflag.FlagSet, words *adoptWords, name string, what adopt.Set) {
	flags.BoolFunc(name, "as --adopt="+what.Words()[0], func(text string) error {
		is, err := strconv.ParseBool(text)
		if err == nil {
			words.put(what, is)
		}
		return err
	})
	flag := flags.Lookup(name)
	flag.Hidden = true
	flag.Annotations = map[string][]string{replacedBy: {"--adopt=" + what.Words()[0]}}
}

// warnOfReplaced says on stderr which of the flags that were given has been replaced.
func warnOfReplaced(s *program, c *cobra.Command) {
	c.Flags().Visit(func(f *pflag.Flag) {
		for _, instead := range f.Annotations[replacedBy] {
			s.session.UI.Warn("--"+f.Name+" is deprecated: use "+instead, "")
		}
	})
}

// addTutorial adds the flags that bring in an app that was made by hand or take over what
// else exists: they change what install does, and so what diff says of it.
func addTutorial(asked *adopt.Set, role, tighten *bool, c *cobra.Command) {
	const words = "what to take over: tutorial (what the ROSA tutorial made by hand in the project; its role is used as it is; the word may be left out), " +
		"bucket (a bucket of this account that this tool did not make for this project), " + adoptRoleUsage
	addAdopt(c, adopt.Tutorial|adopt.Bucket|adopt.Role, words, func(given adopt.Set) {
		*asked, *role = given, given.Role()
	})
	c.Flags().BoolVar(tighten, "tighten-role", false, "with --adopt: make the tutorial's role least-privilege, after a diff")
}

// checkRole holds them and --iam against each other and against those of a role.
func checkRole(c *cobra.Command, asked adopt.Set, tighten bool, mode plan.IAMMode, role iam.RoleOptions) error {
	switch {
	case !mode.Known():
		return usage(c, "--iam is apply or skip")
	case mode == plan.IAMSkip && (role.Adopt || role.Boundary != "" || len(role.Tags) > 0):
		return usage(c, "--adopt=role, --permissions-boundary and --tags say how the role is made; with --iam=skip it is not made")
	case tighten && !asked.Tutorial():
		return usage(c, "--tighten-role goes with --adopt")
	case tighten && mode == plan.IAMSkip:
		return usage(c, "--tighten-role changes the role; with --iam=skip nothing is written to IAM")
	case asked.Tutorial() && asked.Role():
		return usage(c, "--adopt uses the tutorial's role as it is, and --tighten-role narrows it; leave out --adopt=role")
	case tighten && (role.Name != "" || role.Path != ""):
		return usage(c, "--tighten-role is about the role that the service account names; leave out --role-name and --role-path")
	case tighten && role.PolicyARN != "":
		return usage(c, "--tighten-role gives the role the narrow policy; leave out --policy-arn")
	}
	return nil
}
