package apply

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Gone are the objects on record that are neither in the plan's set nor there
// any more.
func (p *Plan) Gone() []Ref {
	var gone []Ref
	for _, ref := range p.old.Objects {
		left := slices.ContainsFunc(p.Left, func(it *Item) bool { return it.Ref.same(ref) })
		if !left && !p.has(ref) {
			gone = append(gone, ref)
		}
	}
	return gone
}

// Flaws say what is wrong with an inventory that was read from the cluster, as
// clauses: lines nobody understands, values of another project. None of it is
// dangerous (an inventory gives no rights), all of it makes the next run know
// less.
func (i Inventory) Flaws(namespace string) []string {
	if !i.Found {
		return nil
	}
	var flaws []string
	if i.Foreign {
		flaws = append(flaws, "nothing in it shows that this tool wrote it")
	}
	if bucket := render.BucketName(namespace); i.Bucket != "" && i.Bucket != bucket {
		flaws = append(flaws, fmt.Sprintf("it names the bucket %s, and that of this project is %s: it may be another project's", i.Bucket, bucket))
	}
	if i.live != nil {
		flaws = append(flaws, i.set.orApp().unread(dataOf(i.live)["objects"])...)
	}
	return flaws
}

// unread are the lines of a list of objects that say nothing.
func (s Set) unread(text string) []string {
	if strings.TrimSpace(text) == "" {
		return []string{"it lists no objects"}
	}
	var flaws []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && len(s.parseRefs(line)) == 0 {
			flaws = append(flaws, fmt.Sprintf("no object can be read from its line %.80q", line))
		}
	}
	return flaws
}
