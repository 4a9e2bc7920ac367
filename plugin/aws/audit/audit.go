// Package audit reads in CloudTrail who used the app's role and who changed it,
// and whether the trails of the account would show what was done to objects. It
// reads only what every account has without asking for it, the event history of
// the last 90 days, and it prints nothing.
//
// An event holds more than is shown: of a call that succeeded also the session
// that it gave. Only the fields named in this package are ever decoded.
package audit

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
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

// Reader is what looking into CloudTrail takes. *Client is the real one.
type Reader interface {
	LookupEvents(context.Context, *cloudtrail.LookupEventsInput, ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error)
	DescribeTrails(context.Context, *cloudtrail.DescribeTrailsInput, ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error)
	GetEventSelectors(context.Context, *cloudtrail.GetEventSelectorsInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetEventSelectorsOutput, error)
	GetTrailStatus(context.Context, *cloudtrail.GetTrailStatusInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetTrailStatusOutput, error)
}

// call is one operation of CloudTrail.
type call[In, Out any] func(context.Context, *In, ...func(*cloudtrail.Options)) (*Out, error)

// Client is the real CloudTrail. It holds the operations one by one for the
// reason that iam.Client does: the executable would carry all of them otherwise.
type Client struct {
	lookupEvents      call[cloudtrail.LookupEventsInput, cloudtrail.LookupEventsOutput]
	describeTrails    call[cloudtrail.DescribeTrailsInput, cloudtrail.DescribeTrailsOutput]
	getEventSelectors call[cloudtrail.GetEventSelectorsInput, cloudtrail.GetEventSelectorsOutput]
	getTrailStatus    call[cloudtrail.GetTrailStatusInput, cloudtrail.GetTrailStatusOutput]
}

// New gives a client. CloudTrail throttles early: two look-ups a second are all an account
// may make in a region ("LookupEvents" of the CloudTrail API reference), and we make three
// at once. The attempts of the configuration (package detect) outlast that.
func New(cfg aws.Config) *Client {
	client := cloudtrail.NewFromConfig(cfg)
	return &Client{
		lookupEvents:      client.LookupEvents,
		describeTrails:    client.DescribeTrails,
		getEventSelectors: client.GetEventSelectors,
		getTrailStatus:    client.GetTrailStatus,
	}
}

// LookupEvents implements Reader.
func (c *Client) LookupEvents(ctx context.Context, in *cloudtrail.LookupEventsInput, opts ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	return c.lookupEvents(ctx, in, opts...)
}

// DescribeTrails implements Reader.
func (c *Client) DescribeTrails(ctx context.Context, in *cloudtrail.DescribeTrailsInput, opts ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error) {
	return c.describeTrails(ctx, in, opts...)
}

// GetEventSelectors implements Reader.
func (c *Client) GetEventSelectors(ctx context.Context, in *cloudtrail.GetEventSelectorsInput, opts ...func(*cloudtrail.Options)) (*cloudtrail.GetEventSelectorsOutput, error) {
	return c.getEventSelectors(ctx, in, opts...)
}

// GetTrailStatus implements Reader.
func (c *Client) GetTrailStatus(ctx context.Context, in *cloudtrail.GetTrailStatusInput, opts ...func(*cloudtrail.Options)) (*cloudtrail.GetTrailStatusOutput, error) {
	return c.getTrailStatus(ctx, in, opts...)
}
