package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// uninstall uninstalls to a good end.
func (s *scene) uninstall(t *testing.T, flags ...string) run.Result {
	t.Helper()
	return s.Admin.Run(t, append([]string{"controller", "uninstall"}, flags...)...).WantCode(t, done)
}

// there are all things of a controller in the cluster and in AWS, by kind and
// name: what reset takes away, but for the namespaces of others.
func (s *scene) there(t *testing.T) []string {
	t.Helper()
	ctx, all := t.Context(), []string{}
	add := func(kind, name string) { all = append(all, kind+" "+name) }
	if _, err := s.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{}); err == nil {
		add("namespace", namespace)
	} else if !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	for _, kind := range []string{"subscriptions", "clusterserviceversions", "installplans"} {
		for _, one := range s.objects(t, olm(kind)) {
			add(kind, one.GetName())
		}
	}
	for _, one := range s.objects(t, resource("operators.coreos.com", "v1", "operatorgroups")) {
		add("operatorgroups", one.GetName())
	}
	for _, kind := range []string{"configmaps", "serviceaccounts", "pods"} {
		for _, one := range s.objects(t, resource("", "v1", kind)) {
			if !slices.Contains([]string{"kube-root-ca.crt", "default"}, one.GetName()) {
				add(kind, one.GetName())
			}
		}
	}
	for _, one := range s.objects(t, resource("apps", "v1", "deployments")) {
		add("deployments", one.GetName())
	}
	for _, one := range s.objects(t, resource("rbac.authorization.k8s.io", "v1", "roles")) {
		add("roles", one.GetName())
	}
	roles, err := s.Client.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{})
	must(t, err)
	for _, role := range roles.Items {
		if strings.HasPrefix(role.Name, "ostoy-s3-") {
			add("clusterroles", role.Name)
		}
	}
	for _, kind := range admissionKinds() {
		if s.admission(t, kind) != nil {
			add(kind.Resource, policyName)
		}
	}
	for _, role := range s.roles(ctx, t) {
		add("role", role)
	}
	return all
}

// wantLeft wants exactly these things to be there, and the definition of Buckets.
func (s *scene) wantLeft(t *testing.T, want ...string) {
	t.Helper()
	if have := s.there(t); !slices.Equal(have, want) {
		t.Errorf("there is %q, want %q", have, want)
	}
	if _, err := s.Dynamic.Resource(crds()).Get(t.Context(), definition, metav1.GetOptions{}); err != nil {
		t.Errorf("the definition of Buckets: %v", err)
	}
}

// TestUninstall: all goes but the definition, and comes back with the next install.
func TestUninstall(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.Admin.Run(t, "controller", "uninstall").WantCode(t, done).WantTalk(t, "nothing to remove")
	s.wantNothingWritten(t)
	s.install(t)
	if have := s.there(t); len(have) != 17 {
		t.Errorf("%d things were installed: %q", len(have), have)
	}
	s.uninstall(t).WantStdout(t, "").WantTalk(t, "to remove", "Subscription", "ClusterServiceVersion,",
		"role ack-s3-controller-", "namespace ack-system", "CustomResourceDefinition "+definition, "oc delete customresourcedefinitions.apiextensions.k8s.io "+definition)
	s.wantLeft(t)

	s.mark = s.KubeMark()
	s.uninstall(t).WantTalk(t, "nothing to remove").WantNoTalk(t, "to remove  ", "removed  ")
	s.wantNothingWritten(t)

	s.install(t).WantTalk(t, "1.13.0 installed")
	s.wantIdentity(t)
	s.uninstall(t)
	s.wantLeft(t)
}

// TestUninstallKeepsTheRole, without credentials of AWS.
func TestUninstallKeepsTheRole(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	role := s.roles(t.Context(), t)[0]
	stranger := s.Admin.With("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
	stranger.Run(t, "controller", "uninstall").WantCode(t, refused).WantTalk(t, "--keep-role")
	stranger.Run(t, "controller", "uninstall", "--keep-role").WantCode(t, done).WantTalk(t, "role "+role, "--keep-role", "namespace ack-system", "can be assumed by a service account of this namespace")
	s.wantLeft(t, "namespace "+namespace, "roles ack-s3-reader", "roles ack-s3-writer", "role "+role)
	// It is found again, by who has credentials and without an inventory.
	s.install(t).WantNoTalk(t, "✔ role               created")
	s.wantIdentity(t)
	s.uninstall(t)
	s.wantLeft(t)
}

func TestUninstallDryRun(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	before := s.there(t)
	s.mark = s.KubeMark()
	must(t, s.AWS.ResetLog(t.Context()))
	s.uninstall(t, "--dry-run").WantTalk(t, "would remove", "Subscription", "role ack-s3-controller-", "nothing was changed: this was a dry run")
	if writes := s.written(t); len(writes) > 0 {
		t.Errorf("written: %v", writes)
	}
	asked, err := s.AWS.Log(t.Context(), "admin")
	must(t, err)
	for _, one := range asked {
		if name := fmt.Sprint(one); strings.Contains(name, "Delete") || strings.Contains(name, "Detach") {
			t.Errorf("asked of AWS: %s", name)
		}
	}
	if have := s.there(t); !slices.Equal(have, before) {
		t.Errorf("there is %q, was %q", have, before)
	}
}

func TestUninstallAsADocument(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	var told struct {
		Namespace           string
		DryRun              bool
		Removed, Kept, Left []struct{ Object, Why, Next string }
	}
	wantTold := func() {
		t.Helper()
		if told.Namespace != namespace || len(told.Removed) < 10 || len(told.Kept) != 1 || told.Kept[0].Next == "" || told.Left == nil || len(told.Left) > 0 {
			t.Errorf("%+v", told)
		}
	}
	s.uninstall(t, "--dry-run", "-o", "json").JSON(t, &told)
	wantTold()
	if !told.DryRun {
		t.Error("it does not say that it was a dry run")
	}
	would := told.Removed
	told.DryRun = false
	s.uninstall(t, "-o", "json").JSON(t, &told)
	wantTold()
	if told.DryRun || !slices.Equal(told.Removed, would) {
		t.Errorf("it did %+v and would do %+v", told.Removed, would)
	}
	s.uninstall(t, "-o", "json").JSON(t, &told)
	if len(told.Removed) > 0 {
		t.Errorf("there was nothing: %+v", told.Removed)
	}
}
