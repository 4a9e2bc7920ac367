package audit

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
)

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

var _ Reader = (*Client)(nil)

// maxAttempts of one request: two look-ups a second are all an account may make
// in a region ("LookupEvents" of the CloudTrail API reference), and we make three
// at once.
const maxAttempts = 8

// New gives a client that asks again, more and more slowly, when it is throttled.
func New(cfg aws.Config) *Client {
	client := cloudtrail.NewFromConfig(cfg, func(o *cloudtrail.Options) {
		if o.RetryMaxAttempts == 0 {
			o.RetryMaxAttempts = maxAttempts
		}
	})
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
