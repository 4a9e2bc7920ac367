package plugin

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
)

// isAnother reports whether an object of the line's name is not the one that the line
// is about: it was created after that one had been deleted.
func (l *line) isAnother(live *unstructured.Unstructured) bool {
	same := l.item.Live != nil && live.GetUID() == l.item.Live.GetUID()
	return !same && live.GetDeletionTimestamp() == nil
}

// beginRemoval tells other runs what this one is about to do. A user who may not write
// the inventory may still delete objects.
func (u *uninstall) beginRemoval(ctx context.Context) error {
	if u.one(theInventory) == nil {
		return nil
	}
	err := u.applier.MarkRemoval(ctx, u.removal)
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

// cameBack gives a function that reads the Deployments again, at most once a second,
// and returns an error if one of them has been created again. The first time it only
// takes note of the time: what a Deployment leaves behind is deleted a moment after it.
func (u *uninstall) cameBack() func(context.Context) error {
	last, deleted := u.Now(), u.deployments()
	return func(ctx context.Context) error {
		if u.Now().Sub(last) < time.Second {
			return nil
		}
		last = u.Now()
		for _, l := range deleted {
			live, err := u.applier.Get(ctx, l.item.Ref)
			if err != nil {
				return nil // it passes, or what is waited for says it better
			}
			if live != nil && l.isAnother(live) {
				return u.applier.CameBack(l.item.Ref, live)
			}
		}
		return nil
	}
}

// deployments are the lines of the Deployments that were deleted, and of the chart's
// that did not exist.
func (u *uninstall) deployments() []*line {
	var lines []*line
	missing := []string{frontend, "ostoy-microservice"}
	for _, l := range u.of(anObject) {
		if l.item.Ref.Kind != "Deployment" {
			continue
		}
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == l.item.Ref.Name })
		if l.fate == fateRemoved {
			lines = append(lines, l)
		}
	}
	for _, name := range missing {
		ref := apply.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: name}
		lines = append(lines, &line{item: &apply.Item{Ref: ref}})
	}
	return lines
}
