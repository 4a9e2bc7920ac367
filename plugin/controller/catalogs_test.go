package controller

import (
	"errors"
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// TestCatalogsUnknown: a package server that is down is as good as none; what is said
// of the request itself is a failure.
func TestCatalogsUnknown(t *testing.T) {
	packages := kinds.PackageManifest.GVR().GroupResource()
	generic := func(code int) error {
		return apierrors.NewGenericServerResponse(code, "get", packages, "", "no endpoints available", 0, true)
	}
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"no server":         {apierrors.NewNotFound(packages, ""), true},
		"no permission":     {apierrors.NewForbidden(packages, "", errors.New("no")), true},
		"down":              {apierrors.NewServiceUnavailable("the server is currently unable to handle the request"), true},
		"down, in text":     {generic(http.StatusServiceUnavailable), true},
		"does not answer":   {generic(http.StatusGatewayTimeout), true},
		"not logged in":     {apierrors.NewUnauthorized("no"), false},
		"a broken server":   {apierrors.NewInternalError(errors.New("no")), false},
		"another kind":      {apierrors.NewConflict(schema.GroupResource{}, "", errors.New("no")), false},
		"nothing to answer": {errors.New("connection refused"), false},
	} {
		if got := catalogsUnknown(c.err); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
