package plugin

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// offeredPattern is what a new role gets where you answer with Enter: the pattern of
// the projects that install --new-project names, or, for the project that is to be
// installed with it and that has another name, its one bucket.
func (r ControllerRequest) offeredPattern() string {
	if r.bucket == "" {
		return render.OwnBucketPattern
	}
	return render.PatternForBucket(r.bucket)
}

// choosePattern asks for the bucket pattern of a role that has none. A dry run, which
// touches nothing, continues with the one that would be offered, and says so: what a
// run needs is what a dry run is asked for.
func (c *controllerRun) choosePattern(ctx context.Context, exists bool) (pattern, note string, err error) {
	offered := c.request.offeredPattern()
	switch {
	case c.request.Ask == nil && c.request.DryRun != DryRunNone:
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

// announceReach says which S3 buckets the controller reaches, and what that means.
func (c *controllerRun) announceReach() {
	r := c.plan.Reach
	if r == nil {
		return
	}
	text := inLine(reachText(r))
	if r.Any {
		text = c.UI.Strong(text)
	}
	c.UI.Linef("reach     %s", text)
	c.UI.Linef("          %s", reachMeaning(r))
	if change := reachChange(r); change != "" {
		c.UI.Linef("          %s", inLine(change))
	}
}

// drifted warns that somebody changed which buckets the role reaches.
func (c *controllerRun) drifted() []controller.Warning {
	if c.plan.Drift == "" {
		return nil
	}
	return []controller.Warning{{What: c.plan.Drift}}
}

// keptReach warns that the role covers every bucket though you gave no pattern.
func (c *controllerRun) keptReach() []controller.Warning {
	p, given := c.plan, c.request.Role
	if p.Role == nil || p.Reach == nil || !p.Reach.Any || given.BucketPattern != "" || given.PolicyARN != "" {
		return nil
	}
	return []controller.Warning{{
		What: "the controller's role reaches " + p.Reach.Text(p.Reach.Account) + ": you gave no --bucket-pattern, so its pattern and its other policies are kept",
		Next: "to limit it: " + advice.Command("oc ostoy-s3 controller install", "--bucket-pattern", iam.OwnBucketPattern),
	}}
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
	return plural(int64(len(r.Stopping)), "Bucket") + " would stop syncing: " + strings.Join(r.Stopping, ", ")
}

// mayNarrow asks before Buckets stop syncing.
func (c *controllerRun) mayNarrow(ctx context.Context) error {
	r := c.plan.Reach
	if !r.Asks() || c.request.Yes {
		return nil
	}
	about := "the new bucket pattern no longer covers " + r.Before + ", and which Buckets stop syncing is not known: " + r.Unseen
	if len(r.Stopping) > 0 {
		about = "the new bucket pattern no longer covers " + r.Before + ": " + stoppingText(r)
	}
	return session.Question{About: about, Word: "yes", Flags: "--yes", Nothing: nothingChanged}.Confirm(ctx, c.UI, c.request.Ask)
}

// mustReach refuses a controller whose role cannot manage the bucket of the project
// that is installed with it. A pattern that you gave and that does not match is wrong
// input; what the role, or its permissions boundary, allows already is not. A role that
// is not managed by ostoy-s3 keeps its policies, whatever pattern you gave.
func (c *controllerRun) mustReach() error {
	r, bucket := c.plan.Reach, c.request.bucket
	if r == nil || bucket == "" || r.Unknown != "" || r.Covers(bucket) {
		return nil
	}
	given, managed := c.request.Role.BucketPattern, c.plan.Role != nil
	e := &problem.Error{
		Kind: problem.Refused,
		What: "the controller's role cannot manage the bucket " + bucket,
		Why:  "it reaches " + r.Text(r.Account),
		Next: check.WidenRole(managed, bucket, r.Reach),
	}
	if managed && given != "" && !iam.MatchPattern(given, bucket) {
		pattern := bucket
		if !c.plan.Role.Creates() {
			pattern = cmp.Or(iam.WiderPattern([]string{given}, bucket), bucket)
		}
		e.Kind = problem.Usage
		e.What = advice.Command("--bucket-pattern", given) + " does not match " + bucket + ", the bucket of the project"
		e.Next = "a pattern that matches it, such as " + advice.Command("--bucket-pattern", pattern)
	}
	return e
}

// reachResult is the reach in a document.
type reachResult struct {
	Text     string       `json:"text"`
	Meaning  string       `json:"meaning"`
	Change   string       `json:"change,omitempty"`
	Assumed  bool         `json:"assumed,omitempty"` // no pattern was given: the plan continues with one
	Any      bool         `json:"anyBucket"`
	Policy   string       `json:"policy,omitempty"` // that gives every bucket
	Patterns []string     `json:"patterns,omitempty"`
	Unknown  string       `json:"unknown,omitempty"`
	Count    *bucketCount `json:"buckets,omitempty"` // absent: not known
	Stopping []string     `json:"stopSyncing,omitempty"`
}

// bucketCount is how many of the account's buckets are reached.
type bucketCount struct {
	Reached  int `json:"reached"`
	Existing int `json:"existing"`
}

func reachDocument(r *controller.Reach) *reachResult {
	if r == nil {
		return nil
	}
	d := &reachResult{
		Text: reachText(r), Meaning: reachMeaning(r), Change: reachChange(r), Any: r.Any, Policy: r.By,
		Patterns: r.Patterns, Unknown: r.Unknown, Stopping: r.Stopping,
	}
	if r.Uncounted == "" {
		d.Count = &bucketCount{Reached: r.Covered, Existing: r.Existing}
	}
	return d
}
