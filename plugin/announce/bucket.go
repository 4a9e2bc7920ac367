package announce

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// Bucket prints the lines of the plan about the bucket; given is one that exists.
func Bucket(to *ui.UI, given *plan.GivenBucket, name string) {
	if given == nil {
		to.Plan(ui.Added, "bucket", name+"   private, encrypted, TLS only, kept when the project goes")
		return
	}
	to.Plan(ui.Changed, "bucket", name+"   exists, "+given.Amount()+": OSToy will read and write it; its settings become private, encrypted, TLS only")
	if len(given.Keeps) > 0 {
		to.Detail(plain.InLine("keeps    " + strings.Join(given.Keeps, ", ") + " (field manager " + apply.Adopter + ")"))
	}
	for _, one := range given.Becomes {
		to.Detail(plain.InLine("changes  " + one))
	}
}
