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

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
)

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

// page is what one search found.
type page struct {
	assumed, changed []Event
	more             bool
}

// run looks until there is enough, nothing more, or it has become too much.
func (s search) run(ctx context.Context, api Reader, request Request) (found page, err error) {
	in := &cloudtrail.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{AttributeKey: s.key, AttributeValue: aws.String(s.value)}},
		StartTime:        aws.Time(request.Since),
		MaxResults:       aws.Int32(pageSize),
	}
	for range maxPages {
		out, err := api.LookupEvents(ctx, in, func(o *cloudtrail.Options) { o.Region = s.region })
		if err != nil {
			return page{}, err
		}
		for _, event := range out.Events {
			found.add(event, request)
		}
		if aws.ToString(out.NextToken) == "" {
			return found, nil
		}
		if len(found.assumed)+len(found.changed) >= request.Max {
			break
		}
		next := *in
		next.NextToken = out.NextToken
		in = &next
	}
	found.more = true
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
func (p *page) add(event types.Event, request Request) {
	var r record
	// What cannot be read is shown with what the list itself says.
	_ = json.Unmarshal([]byte(aws.ToString(event.CloudTrailEvent)), &r)
	one := Event{
		ID: aws.ToString(event.EventId), Time: aws.ToTime(event.EventTime), Name: awserr.Redact(aws.ToString(event.EventName)),
		Who: awserr.Redact(r.who(aws.ToString(event.Username))), From: awserr.Redact(r.Source), Region: awserr.Redact(r.Region), Error: awserr.Redact(r.Error),
	}
	switch {
	case one.Time.Before(request.Since):
	case strings.HasPrefix(one.Name, "AssumeRole"):
		if r.Parameters.RoleARN == request.RoleARN || r.Parameters.RoleARN == "" && names(event, request.RoleARN) {
			p.assumed = append(p.assumed, one)
		}
	case aws.ToString(event.EventSource) == "iam.amazonaws.com" && aws.ToString(event.ReadOnly) != "true":
		if r.Parameters.RoleName == request.RoleName {
			p.changed = append(p.changed, one)
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
