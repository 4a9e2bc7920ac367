package plugin

import (
	"context"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// announceAdmission names the admission policy and its binding where they are
// created, and the Buckets that the policy refuses from then on. How they are changed
// is among the other objects.
func (c *controllerRun) announceAdmission() {
	var created []string
	changed := false
	for _, item := range c.plan.Objects.Items {
		if !controller.IsAdmission(item.Ref) {
			continue
		}
		if item.Action == apply.Create {
			created = append(created, item.Ref.String())
		}
		changed = changed || item.Action != apply.Unchanged
	}
	if len(created) > 0 {
		c.planned(ui.Added, "policy", strings.Join(created, ",\n"))
		exempt := append(append([]string{}, c.plan.Admission.Exempt...), "everybody with the verb bypass on the policy")
		c.details("keeps a Bucket to the S3 buckets of its own project",
			"exempt  "+strings.Join(inLines(exempt), "\n        "))
	}
	if changed {
		c.announceRefused(c.plan.Admission.Refused)
	}
}

// announceRefused lists existing Buckets that break the rules of the policy.
func (c *controllerRun) announceRefused(refused []controller.RefusedBucket) {
	const most = 20
	if len(refused) == 0 {
		return
	}
	c.UI.Warn("The admission policy refuses "+plural(int64(len(refused)), "existing Bucket")+" from now on. They still sync and can be deleted, "+
		"but project admins and editors cannot change their spec or create them again:", "")
	for _, bucket := range refused[:min(most, len(refused))] {
		c.UI.Line("    " + inLine("Bucket "+bucket.Namespace+"/"+bucket.Name+": "+strings.Join(bucket.Why, "; ")))
	}
	if n := len(refused) - most; n > 0 {
		c.UI.Linef("    and %d more (-o json lists all)", n)
	}
}

// mayExecute asks before Buckets stop syncing, and before a controller starts to work on
// the S3 buckets of other projects.
func (c *controllerRun) mayExecute(ctx context.Context) error {
	if err := c.mayNarrow(ctx); err != nil {
		return err
	}
	planted := c.plan.Planted()
	if len(planted) == 0 || c.request.Yes {
		return nil
	}
	var names []string
	for _, bucket := range planted {
		names = append(names, inLine(bucket.Namespace+"/"+bucket.Name))
	}
	return session.Question{
		About: plural(int64(len(names)), "existing Bucket") + " with the S3 bucket of another project, which the controller changes as soon as it runs: " + strings.Join(names, ", "),
		Word:  "yes", Flags: "--yes, or delete these Buckets first", Nothing: nothingChanged,
	}.Confirm(ctx, c.UI, c.request.Ask)
}
