package plugin

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// byHandNote is what a plan that installs no controller says of itself. makes says that
// it creates the namespace.
func byHandNote(namespace string, makes bool) string {
	what := "only the role and the permissions of the controller in namespace " + namespace + " are managed here"
	if makes {
		what = "only the namespace " + namespace + ", the role and the permissions of the controller are created"
	}
	return "the cluster has no Operator Lifecycle Manager, and no --chart is given: " + what +
		"; the command that installs the controller is printed at the end"
}

// byHand ends where neither OLM nor a chart was to be had: with the line that
// brings the controller, on stdout, and the word that it is not there yet.
func (c *controllerRun) byHand() error {
	line := advice.From(helmInstall(c.facts, c.request.Version, "-f"), c.renderLine())
	if c.request.Output == "" {
		if err := c.WriteLine(line); err != nil {
			return err
		}
	}
	return &problem.Error{
		Kind: problem.NotReady,
		What: "the controller itself is not installed",
		Why: "this cluster has no Operator Lifecycle Manager, and no chart was given; the namespace " + c.facts.Namespace.Value +
			", the role and the permissions on Buckets exist",
		Next: line + "\nor the same command with " + advice.Command("--chart", operator.Chart),
	}
}

// helmInstall is the command that installs ACK's chart, the newest there is unless version
// names one, with Helm itself; the words are further ones.
func helmInstall(f render.Facts, version string, words ...string) string {
	all := operator.HelmWords(f)
	if version != "" {
		all = append(all, "--version", strings.TrimPrefix(version, "v"))
	}
	return advice.Command("helm install", append(all, words...)...)
}

// renderLine is what prints the values for ACK's chart, for the same role in the
// same place as this run's.
func (c *controllerRun) renderLine() string {
	var words []string
	add := func(flag, value string) {
		if value != "" {
			words = append(words, advice.Flag(flag, value)...)
		}
	}
	if c.facts.Namespace.Value != operator.DefaultNamespace {
		add("-n", c.facts.Namespace.Value)
	}
	add("--facts", c.request.Facts.File)
	add("--profile", c.request.Facts.Profile)
	given := c.request.Facts.Given
	for _, fact := range []render.Fact{given.Region, given.Account, given.Partition, given.Issuer, given.Audience} {
		if flag, typed := strings.CutPrefix(fact.Source, "flag "); typed {
			add(flag, fact.Value)
		}
	}
	add("--identity", c.request.Identity)
	add("--role-name", c.request.Role.Name)
	add("--role-path", c.request.Role.Path)
	return advice.Command("oc ostoy-s3 controller render", words...)
}
