package audit

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// DataEvents is whether a trail writes down access to the bucket's objects.
// CloudTrail does so only where it was switched on, and never in the event
// history, only where the trail delivers to.
type DataEvents struct {
	State  State    `json:"state"`
	Trails []string `json:"trails,omitempty"` // that write it down
	Why    string   `json:"why,omitempty"`    // it is not known
}

// State is on, off or unknown.
type State string

// The states.
const (
	On      State = "on"
	Off     State = "off"
	Unknown State = "unknown"
)

const s3Object = "AWS::S3::Object"

// lookAtTrails asks the trails that work in the bucket's region, and have
// selectors of their own: the others write down no data events.
func lookAtTrails(ctx context.Context, api Reader, request Request) DataEvents {
	out, err := api.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)}, in(request.Region))
	if err != nil {
		return DataEvents{State: Unknown, Why: why(err, "cloudtrail:DescribeTrails")}
	}
	const atOnce = 4
	answers := make([]DataEvents, len(out.TrailList))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, trail := range out.TrailList {
		group.Go(func() error {
			answers[i] = lookAtTrail(ctx, api, trail, request.objects())
			return nil
		})
	}
	_ = group.Wait() // none gives an error
	return join(answers)
}

// join is the answer of all trails: one that is on is enough, and off is known
// only where every trail told.
func join(answers []DataEvents) DataEvents {
	all := DataEvents{State: Off}
	for _, a := range answers {
		switch a.State {
		case On:
			all.State = On
			all.Trails = append(all.Trails, a.Trails...)
		case Unknown:
			if all.State == Off {
				all.State = Unknown
			}
			all.Why = a.Why
		}
	}
	if all.State == On {
		all.Why = ""
	}
	slices.Sort(all.Trails)
	return all
}

func lookAtTrail(ctx context.Context, api Reader, trail types.Trail, objects string) DataEvents {
	if trail.HasCustomEventSelectors != nil && !*trail.HasCustomEventSelectors {
		return DataEvents{State: Off}
	}
	home := in(aws.ToString(trail.HomeRegion))
	selectors, err := api.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: trail.TrailARN}, home)
	if err != nil {
		return DataEvents{State: Unknown, Why: why(err, "cloudtrail:GetEventSelectors")}
	}
	if !slices.ContainsFunc(selectors.EventSelectors, func(s types.EventSelector) bool { return selects(s, objects) }) &&
		!slices.ContainsFunc(selectors.AdvancedEventSelectors, func(s types.AdvancedEventSelector) bool { return selectsAdvanced(s, objects) }) {
		return DataEvents{State: Off}
	}
	status, err := api.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: trail.TrailARN}, home)
	if err != nil {
		return DataEvents{State: Unknown, Why: why(err, "cloudtrail:GetTrailStatus")}
	}
	if !aws.ToBool(status.IsLogging) {
		return DataEvents{State: Off}
	}
	return DataEvents{State: On, Trails: []string{awserr.Redact(aws.ToString(trail.Name))}}
}

func in(region string) func(*cloudtrail.Options) {
	return func(o *cloudtrail.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

// objects is the ARN that the bucket's objects begin with.
func (r Request) objects() string {
	return render.BucketARN(cmp.Or(r.Partition, "aws"), r.Bucket) + "/"
}

// selects reports whether a basic selector takes the bucket's objects. A value
// is the beginning of an ARN; "arn:aws:s3" is every bucket ("DataResource" of the
// CloudTrail API reference).
func selects(s types.EventSelector, objects string) bool {
	return slices.ContainsFunc(s.DataResources, func(d types.DataResource) bool {
		return aws.ToString(d.Type) == s3Object &&
			slices.ContainsFunc(d.Values, func(v string) bool { return v != "" && strings.HasPrefix(objects, v) })
	})
}

// selectsAdvanced reports whether an advanced selector takes any of the bucket's
// objects: all its fields must ("AdvancedFieldSelector"). Fields that narrow the
// calls and not the bucket (readOnly, eventName) do not matter here.
func selectsAdvanced(s types.AdvancedEventSelector, objects string) bool {
	data, typed := false, false
	for _, field := range s.FieldSelectors {
		switch aws.ToString(field.Field) {
		case "eventCategory":
			data = slices.Contains(field.Equals, "Data")
		case "resources.type":
			typed = slices.Contains(field.Equals, s3Object)
		case "resources.ARN":
			if !mayTake(field, objects) {
				return false
			}
		}
	}
	return data && typed
}

// mayTake reports whether a field can be the ARN of one of the objects.
func mayTake(field types.AdvancedFieldSelector, objects string) bool {
	under := func(v string) bool { return strings.HasPrefix(objects, v) || strings.HasPrefix(v, objects) }
	whole := func(v string) bool { return strings.HasPrefix(objects, v) }
	switch {
	case slices.ContainsFunc(field.NotStartsWith, whole):
		return false
	case len(field.StartsWith)+len(field.Equals) == 0:
		return true
	}
	return slices.ContainsFunc(field.StartsWith, under) || slices.ContainsFunc(field.Equals, under)
}

func why(err error, action string) string {
	if awserr.Denied(err) {
		return "needs " + action
	}
	return action + ": " + awserr.Redact(err.Error())
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
	return &Client{client.LookupEvents, client.DescribeTrails, client.GetEventSelectors, client.GetTrailStatus}
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
