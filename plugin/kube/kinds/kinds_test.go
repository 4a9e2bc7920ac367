package kinds

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestTable: each variable is called like its kind, and each plural is the one that
// Kubernetes makes of the kind.
func TestTable(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "kinds.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	text := func(e ast.Expr) string {
		value, err := strconv.Unquote(e.(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, is := node.(*ast.ValueSpec)
		if !is || len(spec.Values) != 1 {
			return true
		}
		literal, is := spec.Values[0].(*ast.CompositeLit)
		if !is {
			return true
		}
		n++
		name, plural := text(literal.Elts[2]), text(literal.Elts[3])
		if spec.Names[0].Name != name {
			t.Errorf("%s is the kind %s", spec.Names[0].Name, name)
		}
		if guess, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Kind: name}); guess.Resource != plural {
			t.Errorf("%s: plural %s, want %s", name, plural, guess.Resource)
		}
		return true
	})
	if n < 30 {
		t.Errorf("%d kinds were looked at", n)
	}
	if got := Bucket.GVK().String() + " " + Bucket.GVR().String() + " " + Bucket.String(); got != "s3.services.k8s.aws/v1alpha1, Kind=Bucket s3.services.k8s.aws/v1alpha1, Resource=buckets Bucket" {
		t.Error(got)
	}
}
