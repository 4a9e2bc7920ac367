package world

import (
	"context"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// NewNamespace makes a namespace and waits until it has what every namespace
// is given.
func NewNamespace(t testing.TB, bed *testbed.Bed, name string, admins ...string) {
	t.Helper()
	if err := bed.NewNamespace(t.Context(), name, admins...); err != nil {
		t.Fatal(err)
	}
	run.Eventually(t, "service account of "+name, func(ctx context.Context) error {
		_, err1 := bed.Client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		_, err2 := bed.Client.CoreV1().ConfigMaps(name).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		if err1 != nil || err2 != nil {
			return fmt.Errorf("%v, %v", err1, err2)
		}
		return nil
	})
}
