package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// book answers lists in pages: what to answer is said by the number of the
// request and what it continues. The embedded interface is nil: only List is called.
type book struct {
	dynamic.ResourceInterface
	answer func(asked int, opts metav1.ListOptions) (name, next string, err error)
	asked  int
}

func (b *book) List(_ context.Context, opts metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	b.asked++
	name, next, err := b.answer(b.asked, opts)
	if err != nil {
		return nil, err
	}
	one := unstructured.Unstructured{Object: map[string]any{}}
	one.SetName(name)
	list := &unstructured.UnstructuredList{Items: []unstructured.Unstructured{one}}
	list.SetContinue(next)
	return list, nil
}

func TestListAll(t *testing.T) {
	gone := apierrors.NewResourceExpired("too old")
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		answer func(asked int, opts metav1.ListOptions) (string, string, error)
		want   string
		err    error
		asked  int
	}{
		"one page": {func(int, metav1.ListOptions) (string, string, error) { return "a", "", nil }, "a", nil, 1},
		"two pages": {func(_ int, opts metav1.ListOptions) (string, string, error) {
			return "a" + opts.Continue, map[string]string{"": "b"}[opts.Continue], nil
		}, "a ab", nil, 2},
		"forgotten in between": {func(asked int, opts metav1.ListOptions) (string, string, error) {
			if asked == 2 {
				return "", "", gone
			}
			return fmt.Sprint(asked), map[string]string{"": "b"}[opts.Continue], nil
		}, "3 4", nil, 4},
		"forgotten at once": {func(int, metav1.ListOptions) (string, string, error) { return "", "", gone }, "", gone, 1},
		"broken": {func(asked int, _ metav1.ListOptions) (string, string, error) {
			if asked == 2 {
				return "", "", broken
			}
			return "a", "b", nil
		}, "", broken, 2},
	} {
		b := &book{answer: func(asked int, opts metav1.ListOptions) (string, string, error) {
			if opts.Limit == 0 || opts.LabelSelector != "a=b" {
				t.Errorf("%s: asked with %+v", name, opts)
			}
			return c.answer(asked, opts)
		}}
		all, err := ListAll(t.Context(), b, metav1.ListOptions{LabelSelector: "a=b"})
		var names []string
		for _, object := range all {
			names = append(names, object.GetName())
		}
		if got := strings.Join(names, " "); got != c.want || !errors.Is(err, c.err) || b.asked != c.asked {
			t.Errorf("%s: %q, %v after %d requests", name, got, err, b.asked)
		}
	}
}
