package install

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// offeredPattern is what a new role gets where you answer with Enter: the pattern of
// the projects that install --new-project names, or, for the project that is to be
// installed with it and that has another name, its one bucket.
func offeredPattern(bucket string) string {
	if bucket == "" {
		return render.OwnBucketPattern
	}
	return render.PatternForBucket(bucket)
}

// choosePattern asks for the bucket pattern of a role that has none. A dry run, which
// touches nothing, continues with the one that would be offered, and says so: what a
// run needs is what a dry run is asked for.
func (c *run) choosePattern(ctx context.Context, exists bool) (pattern, note string, err error) {
	offered := offeredPattern(c.bucket)
	switch {
	case c.request.Ask == nil && c.request.DryRun != session.DryRunNone:
		c.assumed = true
		return offered, "no --bucket-pattern was given: this plan assumes " + offered + "; without a terminal the installation itself needs the flag", nil
	case c.request.Ask == nil:
		return "", "", iam.NoBucketPattern(exists)
	}
	c.UI.Line("The controller's role needs a pattern of the buckets that it may manage. The controller can change the policy of every bucket that the")
	c.UI.Linef("pattern matches, and with it who reads its objects. %s is for the projects that install --new-project names,", iam.OwnBucketPattern)
	c.UI.Linef("%s for projects of any name.", iam.AnyProjectPattern)
	answer, err := c.request.Ask(ctx, "bucket pattern ["+offered+"]: ")
	if err != nil {
		return "", "", err
	}
	return cmp.Or(strings.TrimSpace(answer), offered), "", nil
}

// tellReach says which S3 buckets the controller reaches, and what that means.
func tellReach(c *run) {
	r := c.plan.Reach
	if r == nil {
		return
	}
	text := plain.InLine(reachText(r))
	if r.Any {
		text = c.UI.Strong(text)
	}
	c.UI.Linef("reach     %s", text)
	c.UI.Linef("          %s", reachMeaning(r))
	if change := reachChange(r); change != "" {
		c.UI.Linef("          %s", plain.InLine(change))
	}
}

// keptReach reports whether the role covers every bucket though you gave no pattern.
func keptReach(c *run) bool {
	p, given := c.plan, c.request.Role
	return p.Role != nil && p.Reach != nil && p.Reach.Any && given.BucketPattern == "" && given.PolicyARN == ""
}

// reachText is the reach in one sentence.
func reachText(r *controller.Reach) string {
	text := r.Text(r.Account)
	switch {
	case !r.Any && r.Unknown != "":
		return text
	case r.Uncounted != "":
		return text + "; how many exist today is not known: " + r.Uncounted
	}
	return text + fmt.Sprintf(": %d of %d buckets that exist today", r.Covered, r.Existing)
}

// reachMeaning is what follows from the reach.
func reachMeaning(r *controller.Reach) string {
	who := "a Bucket in a project can configure the S3 buckets of its own project only"
	if !r.Confined {
		who = "this cluster cannot keep a Bucket to the S3 buckets of its own project: a Bucket can configure every bucket that the controller reaches"
	}
	return who + "; the controller can change the policy of each bucket that it reaches, and with it who reads its objects"
}

// reachChange is what changes about the reach, "" if nothing does.
func reachChange(r *controller.Reach) string {
	switch {
	case r.Before == "":
		return ""
	case !r.Narrows:
		return "wider than before: the pattern was " + r.Before
	case r.Unseen != "":
		return "narrower than before: the pattern was " + r.Before + "; which Buckets stop syncing is not known: " + r.Unseen
	case len(r.Stopping) == 0:
		return "narrower than before: the pattern was " + r.Before + "; no Bucket stops syncing"
	}
	return "narrower than before: the pattern was " + r.Before + "; " + stoppingText(r)
}

func stoppingText(r *controller.Reach) string {
	return phrase.Count(len(r.Stopping), "Bucket") + " would stop syncing: " + strings.Join(r.Stopping, ", ")
}
