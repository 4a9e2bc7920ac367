package cluster

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// ListAll lists all objects that opts choose, page by page. Where that takes so
// long that the server no longer knows the list it began with, it begins anew. The
// error is the server's.
func ListAll(ctx context.Context, client dynamic.ResourceInterface, opts metav1.ListOptions) ([]*unstructured.Unstructured, error) {
	opts.Limit = 500
	var all []*unstructured.Unstructured
	for {
		list, err := client.List(ctx, opts)
		if apierrors.IsResourceExpired(err) && opts.Continue != "" {
			all, opts.Continue = nil, ""
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			all = append(all, &list.Items[i])
		}
		if opts.Continue = list.GetContinue(); opts.Continue == "" {
			return all, nil
		}
	}
}
