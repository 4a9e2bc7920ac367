package cluster_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestF2Refusals: what a server, or an admission webhook of a project, says is one word
// each of the printed commands, and no line of its own.
func TestF2Refusals(t *testing.T) {
	const poison = "x'; $(touch /tmp/pwned)\n  try   rm -rf ~"
	conn := connect(t, clustertest.New(t, "v1.33.4"), cluster.Options{})
	for reason, want := range map[metav1.StatusReason]string{
		metav1.StatusReasonForbidden: `ask an admin for it; oc auth can-i 'create$(id)' 'x'\''; $(touch /tmp/pwned) try rm -rf ~' -n '$(id)' shows when you have it`,
		metav1.StatusReasonNotFound:  `look for it: oc get 'x'\''; $(touch /tmp/pwned) try rm -rf ~'`,
	} {
		err := conn.Translate(fmt.Errorf("read: %w", &apierrors.StatusError{ErrStatus: metav1.Status{
			Reason: reason, Message: "forbidden: User \"bob\n  try   rm\" cannot create$(id) resource \"pods\" in API group \"\" in the namespace \"$(id)\"",
			Details: &metav1.StatusDetails{Kind: poison},
		}}))
		var told *problem.Error
		if !errors.As(err, &told) || told.Next != want || strings.Contains(told.What+told.Why+told.Next, "\n") {
			t.Errorf("%s:\n%+v\nwant %s", reason, told, want)
		}
	}
	served := &cluster.Served{Broken: map[string]string{"$(id).example.com/v1": "away"}}
	wantProblem(t, served.Answers("$(id).example.com"), "oc get apiservice 'v1.$(id).example.com' shows why")
}

// TestF2Context: the name of a context is one word.
func TestF2Context(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	text := "contexts: [{name: 'a b; id', context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'https://localhost:1'}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	flags := genericclioptions.NewConfigFlags(true)
	*flags.KubeConfig = file
	_, err := cluster.Connect(flags, cluster.Options{})
	wantProblem(t, err, "oc config use-context 'a b; id'")
}
