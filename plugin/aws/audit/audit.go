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
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
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
	found := make([]Report, len(searches))
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
	if !slices.Contains(refused, nil) {
		return Report{}, awserr.Translate(refused[0], lookupAction, "*")
	}
	for i, s := range searches {
		if refused[i] == nil {
			report.take(found[i])
		} else if !slices.Contains(report.Unseen, s.region) {
			report.Unseen = append(report.Unseen, s.region)
		}
	}
	report.settle(request.Max)
	return report, nil
}

// take sorts events by what was done.
func (r *Report) take(found Report) {
	r.More = r.More || found.More
	r.Assumed = append(r.Assumed, found.Assumed...)
	r.Changed = append(r.Changed, found.Changed...)
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

const (
	lookupAction = "cloudtrail:LookupEvents"
	assume       = "AssumeRoleWithWebIdentity"

	// pageSize is the most that one look-up gives.
	pageSize = 50
	// maxPages of one search. A page may be empty and not the last.
	maxPages = 3
)

// search is one way to find events: CloudTrail takes one attribute at a time.
type search struct {
	region string
	key    types.LookupAttributeKey
	value  string
}

// searches are what is asked: by the role, which a call that succeeded names; by
// the name of the call, since one that was refused need not name what it wanted;
// and by the role's name, which is how calls of IAM name it. Calls to STS are
// written down where they were made, which for the global endpoint is the
// partition's first region, and so are those to IAM.
func (r Request) searches() []search {
	regions := []string{r.Region}
	global := GlobalRegion(r.Partition)
	if global != "" && global != r.Region {
		regions = append(regions, global)
	}
	var all []search
	for _, region := range regions {
		all = append(all,
			search{region, types.LookupAttributeKeyResourceName, r.RoleARN},
			search{region, types.LookupAttributeKeyEventName, assume},
		)
	}
	if global != "" {
		all = append(all, search{global, types.LookupAttributeKeyResourceName, r.RoleName})
	}
	return all
}

// run looks until there is enough, nothing more, or it has become too much.
func (s search) run(ctx context.Context, api Reader, request Request) (found Report, err error) {
	in := &cloudtrail.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{AttributeKey: s.key, AttributeValue: aws.String(s.value)}},
		StartTime:        aws.Time(request.Since),
		MaxResults:       aws.Int32(pageSize),
	}
	for range maxPages {
		out, err := api.LookupEvents(ctx, in, func(o *cloudtrail.Options) { o.Region = s.region })
		if err != nil {
			return Report{}, err
		}
		for _, event := range out.Events {
			found.add(event, request)
		}
		if aws.ToString(out.NextToken) == "" {
			return found, nil
		}
		if len(found.Assumed)+len(found.Changed) >= request.Max {
			break
		}
		next := *in
		next.NextToken = out.NextToken
		in = &next
	}
	found.More = true
	return found, nil
}

// record is the part of an event's own JSON that is read. There is more in it,
// the credentials of the session among them, that is none of our business.
type record struct {
	Identity struct {
		UserName string `json:"userName"`
		ARN      string `json:"arn"`
		Service  string `json:"invokedBy"`
	} `json:"userIdentity"`
	Source     string `json:"sourceIPAddress"`
	Region     string `json:"awsRegion"`
	Error      string `json:"errorCode"`
	Parameters struct {
		RoleARN  string `json:"roleArn"`
		RoleName string `json:"roleName"`
	} `json:"requestParameters"`
	Response struct {
		Subject string `json:"subjectFromWebIdentityToken"`
	} `json:"responseElements"`
}

// add takes an event if it is about the role.
func (r *Report) add(event types.Event, request Request) {
	var read record
	// What cannot be read is shown with what the list itself says.
	_ = json.Unmarshal([]byte(aws.ToString(event.CloudTrailEvent)), &read)
	one := Event{
		ID: aws.ToString(event.EventId), Time: aws.ToTime(event.EventTime), Name: awserr.Redact(aws.ToString(event.EventName)),
		Who: awserr.Redact(read.who(aws.ToString(event.Username))), From: awserr.Redact(read.Source), Region: awserr.Redact(read.Region), Error: awserr.Redact(read.Error),
	}
	switch {
	case one.Time.Before(request.Since):
	case strings.HasPrefix(one.Name, "AssumeRole"):
		if read.Parameters.RoleARN == request.RoleARN || read.Parameters.RoleARN == "" && names(event, request.RoleARN) {
			r.Assumed = append(r.Assumed, one)
		}
	case aws.ToString(event.EventSource) == "iam.amazonaws.com" && aws.ToString(event.ReadOnly) != "true":
		if read.Parameters.RoleName == request.RoleName {
			r.Changed = append(r.Changed, one)
		}
	}
}

func names(event types.Event, resource string) bool {
	return slices.ContainsFunc(event.Resources, func(r types.Resource) bool { return aws.ToString(r.ResourceName) == resource })
}

// who is the caller as a reader of the cluster knows it: a service account as
// namespace:name.
func (r record) who(username string) string {
	const prefix = "system:serviceaccount:"
	for _, name := range []string{r.Response.Subject, r.Identity.UserName, username} {
		if account, ok := strings.CutPrefix(name, prefix); ok {
			return account
		}
	}
	return cmp.Or(r.Identity.ARN, r.Identity.UserName, username, r.Identity.Service, "unknown")
}

// Day is how far back is looked.
const Day = 24 * time.Hour
