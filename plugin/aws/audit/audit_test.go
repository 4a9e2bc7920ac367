package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
)

const (
	roleARN  = "arn:aws:iam::123456789012:role/ostoy-s3/demo"
	roleName = "demo"
)

// history is a CloudTrail of some regions.
type history struct {
	mu      sync.Mutex
	events  map[string][]types.Event // by region, newest first
	refuse  map[string]bool          // region, or operation
	asked   []string
	trails  []types.Trail
	basic   []types.EventSelector
	further []types.AdvancedEventSelector
	logging bool
}

func (h *history) region(opts []func(*cloudtrail.Options)) string {
	o := cloudtrail.Options{Region: "us-east-2"}
	for _, opt := range opts {
		opt(&o)
	}
	return o.Region
}

func (h *history) denied(what string) error {
	if h.refuse[what] {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "User: arn:aws:iam::123456789012:user/x is not authorized to perform: cloudtrail:LookupEvents"}
	}
	return nil
}

func (h *history) LookupEvents(_ context.Context, in *cloudtrail.LookupEventsInput, opts ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	region, attribute := h.region(opts), in.LookupAttributes[0]
	h.asked = append(h.asked, fmt.Sprintf("%s %s=%s", region, attribute.AttributeKey, *attribute.AttributeValue))
	if err := h.denied(region); err != nil {
		return nil, err
	}
	var fit []types.Event
	for _, e := range h.events[region] {
		if attribute.AttributeKey == types.LookupAttributeKeyEventName && *e.EventName == *attribute.AttributeValue || names(e, *attribute.AttributeValue) {
			fit = append(fit, e)
		}
	}
	at := 0
	_, _ = fmt.Sscan(aws.ToString(in.NextToken), &at)
	end := min(at+int(*in.MaxResults), len(fit))
	out := &cloudtrail.LookupEventsOutput{Events: fit[at:end]}
	if end < len(fit) {
		out.NextToken = aws.String(fmt.Sprint(end))
	}
	return out, nil
}

func (h *history) DescribeTrails(context.Context, *cloudtrail.DescribeTrailsInput, ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error) {
	return &cloudtrail.DescribeTrailsOutput{TrailList: h.trails}, h.denied("DescribeTrails")
}

func (h *history) GetEventSelectors(context.Context, *cloudtrail.GetEventSelectorsInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetEventSelectorsOutput, error) {
	return &cloudtrail.GetEventSelectorsOutput{EventSelectors: h.basic, AdvancedEventSelectors: h.further}, h.denied("GetEventSelectors")
}

func (h *history) GetTrailStatus(context.Context, *cloudtrail.GetTrailStatusInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetTrailStatusOutput, error) {
	return &cloudtrail.GetTrailStatusOutput{IsLogging: &h.logging}, h.denied("GetTrailStatus")
}

// noon is when the tests take place; event n happened n seconds before.
func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

func event(n int, name, source, body string, resources ...string) types.Event {
	e := types.Event{
		EventId: aws.String(fmt.Sprintf("id-%s-%d", name, n)), EventName: &name, EventSource: &source, Username: aws.String("somebody"),
		EventTime: aws.Time(noon().Add(-time.Duration(n) * time.Second)), CloudTrailEvent: &body, ReadOnly: aws.String("false"),
	}
	for _, r := range resources {
		e.Resources = append(e.Resources, types.Resource{ResourceName: aws.String(r)})
	}
	return e
}

func taken(n int) types.Event {
	return event(n, assume, "sts.amazonaws.com", `{"userIdentity":{"userName":"system:serviceaccount:demo:ostoy-sa"},"sourceIPAddress":"192.0.2.1","awsRegion":"us-east-2",
		"requestParameters":{"roleArn":"`+roleARN+`"},"responseElements":{"subjectFromWebIdentityToken":"system:serviceaccount:demo:ostoy-sa","credentials":{"sessionToken":"secret"}}}`, roleARN)
}

func denied(n int, arn string) types.Event {
	return event(n, assume, "sts.amazonaws.com", `{"userIdentity":{"userName":"system:serviceaccount:other:default"},"sourceIPAddress":"192.0.2.2","errorCode":"AccessDenied","requestParameters":{"roleArn":"`+arn+`"}}`)
}

func request() Request {
	return Request{RoleARN: roleARN, RoleName: roleName, Bucket: "demo-bucket", Region: "us-east-2", Partition: "aws", Since: noon().Add(-Day), Max: 50}
}

func TestLook(t *testing.T) {
	h := &history{events: map[string][]types.Event{
		"us-east-2": {taken(1), denied(2, roleARN), denied(3, "arn:aws:iam::123456789012:role/another"), taken(4), taken(100000)},
		"us-east-1": {
			taken(5),
			event(6, "PutRolePolicy", "iam.amazonaws.com", `{"userIdentity":{"arn":"arn:aws:iam::123456789012:user/eve"},"requestParameters":{"roleName":"demo"}}`, roleName),
			event(7, "PutRolePolicy", "iam.amazonaws.com", `{"requestParameters":{"roleName":"another"}}`, roleName),
			event(8, "TagRole", "iam.amazonaws.com", `not JSON`, roleName),
		},
	}}
	report, err := Look(t.Context(), h, request())
	if err != nil {
		t.Fatal(err)
	}
	var assumed []string
	for _, e := range report.Assumed {
		assumed = append(assumed, strings.Join([]string{e.Who, e.From, e.Error}, " "))
	}
	want := []string{"demo:ostoy-sa 192.0.2.1 ", "other:default 192.0.2.2 AccessDenied", "demo:ostoy-sa 192.0.2.1 ", "demo:ostoy-sa 192.0.2.1 "}
	if !slices.Equal(assumed, want) {
		t.Errorf("assumed: %q, want %q", assumed, want)
	}
	if len(report.Changed) != 1 || report.Changed[0].Who != "arn:aws:iam::123456789012:user/eve" {
		t.Errorf("changed: %+v", report.Changed)
	}
	if strings.Contains(fmt.Sprintf("%+v", report), "secret") {
		t.Error("the report holds a session")
	}
	slices.Sort(h.asked)
	if got := slices.Compact(h.asked); len(got) != 5 {
		t.Errorf("asked %q", got)
	}
}

// TestLookIsBounded: fifty is enough, and so are three pages of what is not ours.
func TestLookIsBounded(t *testing.T) {
	var many, others []types.Event
	for n := range 500 {
		many = append(many, taken(n))
		others = append(others, denied(n, "arn:aws:iam::123456789012:role/another"))
	}
	h := &history{events: map[string][]types.Event{"us-east-2": append(many, others...)}}
	report, err := Look(t.Context(), h, request())
	if err != nil || len(report.Assumed) != 50 || !report.More {
		t.Errorf("%d events, more %v, %v", len(report.Assumed), report.More, err)
	}
	if len(h.asked) > 5*maxPages {
		t.Errorf("%d requests", len(h.asked))
	}
	for n, e := range report.Assumed {
		if !e.Time.Equal(noon().Add(-time.Duration(n) * time.Second)) {
			t.Fatalf("event %d is of %s: not the newest", n, e.Time)
		}
	}
}

func TestLookRefused(t *testing.T) {
	h := &history{events: map[string][]types.Event{"us-east-2": {taken(1)}}, refuse: map[string]bool{"us-east-1": true}}
	report, err := Look(t.Context(), h, request())
	if err != nil || len(report.Assumed) != 1 || !slices.Equal(report.Unseen, []string{"us-east-1"}) {
		t.Errorf("with one region: %+v, %v", report, err)
	}
	h.refuse["us-east-2"] = true
	if _, err := Look(t.Context(), h, request()); !awserr.Denied(err) || !strings.Contains(err.Error(), "LookupEvents") {
		t.Errorf("with none: %v", err)
	}
}

func TestTrails(t *testing.T) {
	trail := []types.Trail{{Name: aws.String("main"), HomeRegion: aws.String("us-east-2"), HasCustomEventSelectors: aws.Bool(true)}}
	basic := func(kind string, values ...string) []types.EventSelector {
		return []types.EventSelector{{DataResources: []types.DataResource{{Type: &kind, Values: values}}}}
	}
	advanced := func(fields ...types.AdvancedFieldSelector) []types.AdvancedEventSelector {
		return []types.AdvancedEventSelector{{FieldSelectors: append(fields,
			types.AdvancedFieldSelector{Field: aws.String("eventCategory"), Equals: []string{"Data"}},
			types.AdvancedFieldSelector{Field: aws.String("resources.type"), Equals: []string{s3Object}},
		)}}
	}
	arn := func(f types.AdvancedFieldSelector) types.AdvancedFieldSelector {
		f.Field = aws.String("resources.ARN")
		return f
	}
	for name, c := range map[string]struct {
		history *history
		want    State
	}{
		"no trail":            {&history{}, Off},
		"may not look":        {&history{refuse: map[string]bool{"DescribeTrails": true}}, Unknown},
		"no selectors":        {&history{trails: trail, logging: true}, Off},
		"all buckets":         {&history{trails: trail, logging: true, basic: basic(s3Object, "arn:aws:s3")}, On},
		"this bucket":         {&history{trails: trail, logging: true, basic: basic(s3Object, "arn:aws:s3:::demo-bucket/")}, On},
		"another bucket":      {&history{trails: trail, logging: true, basic: basic(s3Object, "arn:aws:s3:::other/")}, Off},
		"functions":           {&history{trails: trail, logging: true, basic: basic("AWS::Lambda::Function", "arn:aws:lambda")}, Off},
		"switched off":        {&history{trails: trail, basic: basic(s3Object, "arn:aws:s3")}, Off},
		"status unseen":       {&history{trails: trail, logging: true, basic: basic(s3Object, "arn:aws:s3"), refuse: map[string]bool{"GetTrailStatus": true}}, Unknown},
		"selectors unseen":    {&history{trails: trail, refuse: map[string]bool{"GetEventSelectors": true}}, Unknown},
		"advanced, all":       {&history{trails: trail, logging: true, further: advanced()}, On},
		"advanced, this":      {&history{trails: trail, logging: true, further: advanced(arn(types.AdvancedFieldSelector{StartsWith: []string{"arn:aws:s3:::demo-bucket/"}}))}, On},
		"advanced, another":   {&history{trails: trail, logging: true, further: advanced(arn(types.AdvancedFieldSelector{StartsWith: []string{"arn:aws:s3:::other/"}}))}, Off},
		"advanced, all but":   {&history{trails: trail, logging: true, further: advanced(arn(types.AdvancedFieldSelector{NotStartsWith: []string{"arn:aws:s3:::demo-bucket/"}}))}, Off},
		"advanced, but other": {&history{trails: trail, logging: true, further: advanced(arn(types.AdvancedFieldSelector{NotStartsWith: []string{"arn:aws:s3:::other/"}}))}, On},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lookAtTrails(t.Context(), c.history, request()); got.State != c.want || got.State == Unknown && got.Why == "" {
				t.Errorf("%+v, want %s", got, c.want)
			}
		})
	}
}

func TestRegionsOfPartitions(t *testing.T) {
	for partition, want := range map[string]string{"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "": ""} {
		if got := GlobalRegion(partition); got != want {
			t.Errorf("%q: %q", partition, got)
		}
	}
	r := request()
	r.Region = "us-east-1"
	if n := len(r.searches()); n != 3 {
		t.Errorf("%d searches where both regions are one", n)
	}
}
