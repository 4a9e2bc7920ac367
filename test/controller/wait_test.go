package controller_test

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// noOffer: no catalog has the package any more.
func (s *scene) noOffer(ctx context.Context) error {
	list, err := s.Dynamic.Resource(resource("packages.operators.coreos.com", "v1", "packagemanifests")).
		List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=ack-s3-controller"})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil && len(list.Items) > 0 {
		err = errors.New("the catalog still has it")
	}
	return err
}

// upgradeWaits: a plan that nobody approved is there.
func (s *scene) upgradeWaits(ctx context.Context) error {
	list, err := s.Dynamic.Resource(olm("installplans")).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, plan := range list.Items {
		if approved, _, _ := unstructured.NestedBool(plan.Object, "spec", "approved"); !approved {
			sub, err := s.Dynamic.Resource(olm("subscriptions")).Namespace(namespace).Get(ctx, "ack-s3-controller", metav1.GetOptions{})
			state, _, _ := unstructured.NestedString(sub.Object, "status", "state")
			if err == nil && state != "UpgradePending" {
				err = errors.New("the subscription is " + state)
			}
			return err
		}
	}
	return errors.New("no InstallPlan waits")
}

// installed waits for the Subscription to name a CSV as installed.
func (s *scene) installed(csv string) func(context.Context) error {
	return func(ctx context.Context) error {
		sub, err := s.Dynamic.Resource(olm("subscriptions")).Namespace(namespace).Get(ctx, "ack-s3-controller", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if got, _, _ := unstructured.NestedString(sub.Object, "status", "installedCSV"); got != csv {
			return errors.New("installed is " + got)
		}
		return nil
	}
}
