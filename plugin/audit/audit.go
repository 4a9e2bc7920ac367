package audit

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
)

// Request says what to look for.
type Request struct {
	RoleARN   string
	RoleName  string
	Bucket    string
	Region    string // where the pods call STS, and where the bucket is
	Partition string
	Since     time.Time // the event history goes back 90 days
	Max       int       // events of a kind at most, the newest
}

// Report is what was found. Events arrive in CloudTrail up to 15 minutes after
// the call ("How CloudTrail works" of its user guide).
type Report struct {
	Since time.Time `json:"since"`
	// Assumed are the calls for a session of the role, the refused ones, too;
	// Changed those that wrote to the role. Newest first.
	Assumed []Event `json:"assumed"`
	Changed []Event `json:"changed"`
	// More says that there were more events in the time than Max of a kind.
	More bool `json:"more,omitempty"`
	// Unseen are the regions in which the history could not be read.
	Unseen []string `json:"unseenRegions,omitempty"`
	// DataEvents tells whether access to objects is on record anywhere.
	DataEvents DataEvents `json:"s3DataEvents"`
}

// Event is one call that CloudTrail wrote down.
type Event struct {
	ID     string    `json:"id"`
	Time   time.Time `json:"time"`
	Name   string    `json:"name"`            // AssumeRoleWithWebIdentity
	Who    string    `json:"who"`             // namespace:serviceaccount, or who called as AWS names them
	From   string    `json:"from"`            // IP address, or the AWS service that called
	Region string    `json:"region"`          // in which it was written down
	Error  string    `json:"error,omitempty"` // code; "" where the call succeeded
}

// GlobalRegion is where calls to IAM are written down, and those to the global
// endpoint of STS, "" for a partition that is not known.
func GlobalRegion(partition string) string {
	return map[string]string{
		"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1",
	}[partition]
}

// Look asks everything at the same time. Where the history may be read in none
// of the regions the error is explained (*problem.Error); a trail that may not be
// looked at is no error.
func Look(ctx context.Context, api Reader, request Request) (Report, error) {
	searches := request.searches()
	found := make([]page, len(searches))
	refused := make([]error, len(searches))
	report := Report{Since: request.Since}
	group, ctx := errgroup.WithContext(ctx)
	for i, s := range searches {
		group.Go(func() (err error) {
			found[i], err = s.run(ctx, api, request)
			if awserr.Denied(err) {
				refused[i], err = err, nil
			}
			return err
		})
	}
	group.Go(func() error {
		report.DataEvents = lookAtTrails(ctx, api, request)
		return ctx.Err()
	})
	if err := group.Wait(); err != nil {
		return Report{}, awserr.Translate(err, lookupAction, "*")
	}
	seen := false
	for i, s := range searches {
		if refused[i] == nil {
			seen = true
			report.take(found[i])
		} else if !slices.Contains(report.Unseen, s.region) {
			report.Unseen = append(report.Unseen, s.region)
		}
	}
	if !seen {
		return Report{}, awserr.Translate(refused[0], lookupAction, "*")
	}
	report.settle(request.Max)
	return report, nil
}

// take sorts events by what was done.
func (r *Report) take(found page) {
	r.More = r.More || found.more
	r.Assumed = append(r.Assumed, found.assumed...)
	r.Changed = append(r.Changed, found.changed...)
}

// settle puts the newest first, drops what was found in two ways, and leaves max
// of each.
func (r *Report) settle(most int) {
	for _, list := range []*[]Event{&r.Assumed, &r.Changed} {
		events := *list
		slices.SortFunc(events, func(a, b Event) int {
			return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.ID, b.ID))
		})
		events = slices.CompactFunc(events, func(a, b Event) bool { return a.ID == b.ID && a.ID != "" })
		if len(events) > most {
			events, r.More = events[:most], true
		}
		*list = append([]Event{}, events...) // in a document an empty list, not null
	}
}
