package controller

import apierrors "k8s.io/apimachinery/pkg/api/errors"

// catalogsUnknown reports whether the answer to a question for packagemanifests says
// nothing about the catalogs: there is no package server, it is down, or the user may
// not ask. The API server answers 503 for an aggregated API whose server is down, and
// 504 for one that does not answer.
func catalogsUnknown(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsForbidden(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsTimeout(err)
}
