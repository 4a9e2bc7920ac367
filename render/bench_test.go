package render

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"
)

// BenchmarkProject is one project, with the chart at hand.
func BenchmarkProject(b *testing.B) {
	renderer, err := New()
	if err != nil {
		b.Fatal(err)
	}
	facts := rosa()
	options := withRole(facts, Options{})
	for b.Loop() {
		if _, err := renderer.Objects(facts, options); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkThousandProjects is a fleet: every project has its own facts, and a
// Renderer serves them at the same time.
func BenchmarkThousandProjects(b *testing.B) {
	renderer, err := New()
	if err != nil {
		b.Fatal(err)
	}
	const atOnce = 8
	for b.Loop() {
		var group errgroup.Group
		group.SetLimit(atOnce)
		for n := range 1000 {
			group.Go(func() error {
				facts := rosa()
				facts.Namespace.Value = fmt.Sprintf("demo-%d", n)
				_, err := renderer.Objects(facts, withRole(facts, Options{}))
				return err
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}
