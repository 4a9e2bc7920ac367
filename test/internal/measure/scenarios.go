package measure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// Counted is what one run of install asked.
type Counted struct {
	Title  string // who, where, which run
	Tally  Tally
	Polled map[string]bool // asked that often or oftener: until the answer is yes
}

// settle cuts off the repetitions of what is asked until the answer is yes: how
// many there are is a matter of time. A port-forward is tried until the app
// listens; in a new project, what its maker was promised comes a little later.
func (c *Counted) settle(newProject bool) {
	c.Polled = map[string]bool{}
	c.cut("kube get pods/portforward", 1)
	if newProject {
		// Before the project is made two reviews, and a token in either namespace;
		// after it, one of each, if the first try tells, and one token for verify.
		c.cut("kube create selfsubjectaccessreviews", 3)
		c.cut("kube create serviceaccounts/token of default (dry run)", 4)
	}
}

// cut leaves so many of what was asked at least as often.
func (c *Counted) cut(name string, least int) {
	if c.Tally[name] >= least {
		c.Tally[name], c.Polled[name] = least, true
	}
}

// projectAdmin is the user of the counted runs who may do little.
const projectAdmin = "counted"

// Installs counts the requests of install: as cluster admin and as project
// admin, into a project that is there and into a new one, the first time and
// again with nothing to do. The bed must be OpenShift, and nobody else's
// meanwhile. Namespaces that begin with "counted-" are taken.
func Installs(ctx context.Context, bed *testbed.Bed, tool string) ([]Counted, error) {
	kubeconfig, err := bed.ProjectAdminKubeconfig(projectAdmin)
	if err != nil {
		return nil, err
	}
	var all []Counted
	for _, who := range []struct{ title, short, kubeconfig string }{
		{"cluster admin", "admin", bed.Kubeconfig},
		{"project admin", "user", kubeconfig},
	} {
		person := Person{Bed: bed, Tool: tool, Kubeconfig: who.kubeconfig}
		there, fresh := "counted-there-"+who.short, "counted-new-"+who.short
		if err := NewNamespace(ctx, bed, there, projectAdmin); err != nil {
			return nil, err
		}
		for _, run := range []struct {
			title string
			args  []string
		}{
			{"existing project, first run", []string{"install", "-n", there}},
			{"existing project, second run", []string{"install", "-n", there}},
			{"new project, first run", []string{"install", "--new-project=" + fresh}},
			{"new project, second run", []string{"install", "-n", fresh}},
		} {
			tally, err := person.Count(ctx, run.args...)
			if err != nil {
				return nil, err
			}
			one := Counted{Title: who.title + ", " + run.title, Tally: tally}
			one.settle(strings.HasPrefix(run.title, "new project, first"))
			all = append(all, one)
		}
	}
	return all, nil
}

// NewNamespace makes a namespace and waits until it has what every namespace
// is given.
func NewNamespace(ctx context.Context, bed *testbed.Bed, name string, admins ...string) error {
	if err := bed.NewNamespace(ctx, name, admins...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return testbed.Poll(ctx, 100*time.Millisecond, func(ctx context.Context) error {
		_, err := bed.Client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// Table is a row for each request and a column for each run. 3+ is three, or more
// where the first answer was not yet.
func Table(runs []Counted) string {
	var out strings.Builder
	for n, run := range runs {
		kube, aws := run.Tally.Total()
		fmt.Fprintf(&out, "%c  %s: %d to the API server, %d to AWS\n", 'A'+n, run.Title, kube, aws)
	}
	out.WriteString("\n")
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for n := range runs {
		fmt.Fprintf(table, "%c\t", 'A'+n)
	}
	fmt.Fprintln(table, "  request")
	for _, name := range names(runs) {
		for _, run := range runs {
			text := "."
			if count := run.Tally[name]; count > 0 {
				text = fmt.Sprint(count)
			}
			if run.Polled[name] {
				text += "+"
			}
			fmt.Fprintf(table, "%s\t", text)
		}
		fmt.Fprintf(table, "  %s\n", name)
	}
	// Writing to a strings.Builder cannot fail.
	_ = table.Flush()
	return out.String()
}

func names(runs []Counted) []string {
	var all []string
	for _, run := range runs {
		all = append(all, run.Tally.Names()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
