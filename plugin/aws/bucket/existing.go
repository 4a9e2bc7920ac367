package bucket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
)

// Existing are the settings of a bucket that exists before its Bucket resource. The
// controller deletes what the resource does not state (hook.go of ACK's s3-controller).
type Existing struct {
	// Spec are the fields that a Bucket resource has to state so that the settings stay,
	// as its CRD calls them.
	Spec map[string]any
	// Lost says in words which settings no field can keep beside those of the app.
	Lost []string
	// Unread says in words which settings the caller is not allowed to read.
	Unread []string
	// Becomes says in words what changes because the app's bucket is private.
	Becomes []string
}

// Kept names the settings that stay.
func (e Existing) Kept() []string { return slices.Sorted(maps.Keys(e.Spec)) }

// part is what one request says of the bucket.
type part struct {
	field string // of the spec, with value
	value any
	lost  string
	turns string // into what the app states
}

// subject is one setting: what it is called, the IAM action that reading it takes, and how
// it is read.
type subject struct {
	name, action string
	read         func(context.Context, *Client, Target) (part, error)
}

// subjects are the settings that a Bucket resource decides about. Whether the controller
// knows each of them depends on its version.
func subjects(policy string) []subject {
	return slices.Concat(carried(), switched(), replaced(policy), detected())
}

// ReadExisting reads the settings of the bucket. policy is the one that the app states.
func ReadExisting(ctx context.Context, c *Client, t Target, policy string) (Existing, error) {
	all := subjects(policy)
	parts, errs := make([]part, len(all)), make([]error, len(all))
	group := errgroup.Group{}
	const atOnce = 8
	group.SetLimit(atOnce)
	for n, one := range all {
		group.Go(func() error {
			parts[n], errs[n] = one.read(ctx, c, t)
			return nil
		})
	}
	_ = group.Wait()
	found := Existing{Spec: map[string]any{}}
	for n, one := range all {
		switch err := errs[n]; {
		case awserr.Denied(err):
			found.Unread = append(found.Unread, one.name+" (needs "+one.action+")")
		case absent(err):
		case err != nil:
			return found, fmt.Errorf("%s: %w", one.action, explain(t, err, one.action, t.arn()))
		default:
			found.add(parts[n])
		}
	}
	return found, ctx.Err()
}

func (e *Existing) add(p part) {
	if p.field != "" {
		e.Spec[p.field] = p.value
	}
	if p.lost != "" {
		e.Lost = append(e.Lost, p.lost)
	}
	if p.turns != "" {
		e.Becomes = append(e.Becomes, p.turns)
	}
}

// absent reports whether a setting was never made: S3 answers 404 with a code for each.
// One that a region or a server of another kind does not have is not set either: of
// acceleration S3 says then that the argument is not supported.
func absent(err error) bool {
	return awserr.Code(err) == "UnsupportedArgument" || errors.Is(err, ErrGone) || slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, awserr.Status(err))
}

// carried are the settings that a field can keep.
func carried() []subject {
	return []subject{
		{"versioning", "s3:GetBucketVersioning", func(ctx context.Context, c *Client, t Target) (p part, err error) {
			out, err := c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			if err == nil && out.Status != "" {
				p.field, p.value = "versioning", map[string]any{"status": string(out.Status)}
			}
			if err == nil && out.MFADelete == types.MFADeleteStatusEnabled {
				p.lost = "MFA delete"
			}
			return p, err
		}},
		{"lifecycle rules", "s3:GetLifecycleConfiguration", func(ctx context.Context, c *Client, t Target) (p part, err error) {
			out, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			if err == nil && len(out.Rules) > 0 {
				p.field, p.value = "lifecycle", map[string]any{"rules": Spelt(out.Rules)}
				if out.TransitionDefaultMinimumObjectSize == types.TransitionDefaultMinimumObjectSizeVariesByStorageClass {
					p.lost = "the minimum object size of lifecycle transitions (varies_by_storage_class)"
				}
			}
			return p, err
		}},
		{"CORS", "s3:GetBucketCORS", func(ctx context.Context, c *Client, t Target) (p part, err error) {
			out, err := c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			if err == nil && len(out.CORSRules) > 0 {
				p.field, p.value = "cors", map[string]any{"corsRules": Spelt(out.CORSRules)}
			}
			return p, err
		}},
		{"website", "s3:GetBucketWebsite", func(ctx context.Context, c *Client, t Target) (p part, err error) {
			out, err := c.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			if err == nil && (out.IndexDocument != nil || out.RedirectAllRequestsTo != nil) {
				p.field, p.value = "website", Spelt(types.WebsiteConfiguration{
					IndexDocument: out.IndexDocument, ErrorDocument: out.ErrorDocument,
					RedirectAllRequestsTo: out.RedirectAllRequestsTo, RoutingRules: out.RoutingRules,
				})
			}
			return p, err
		}},
	}
}

// switched are further ones that a field can keep: they are on or off.
func switched() []subject {
	return []subject{
		{"access logging", "s3:GetBucketLogging", func(ctx context.Context, c *Client, t Target) (p part, err error) {
			out, err := c.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			if err != nil || out.LoggingEnabled == nil {
				return p, err
			}
			if len(out.LoggingEnabled.TargetGrants) > 0 || out.LoggingEnabled.TargetObjectKeyFormat != nil {
				p.lost = "access logging with grants or a key format of its own"
				return p, nil
			}
			p.field, p.value = "logging", map[string]any{"loggingEnabled": Spelt(*out.LoggingEnabled)}
			return p, nil
		}},
		{"transfer acceleration", "s3:GetAccelerateConfiguration", func(ctx context.Context, c *Client, t Target) (p part, err error) {
			out, err := c.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			if err == nil && out.Status != "" {
				p.field, p.value = "accelerate", map[string]any{"status": string(out.Status)}
			}
			return p, err
		}},
		{"requester pays", "s3:GetBucketRequestPayment", func(ctx context.Context, c *Client, t Target) (p part, err error) {
			out, err := c.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			if err == nil && out.Payer == types.PayerRequester {
				p.field, p.value = "requestPayment", map[string]any{"payer": string(out.Payer)}
			}
			return p, err
		}},
	}
}

// replaced are the settings that the app states itself.
func replaced(policy string) []subject {
	return []subject{
		{"bucket policy", ActionPolicy, func(ctx context.Context, c *Client, t Target) (p part, err error) {
			has, err := c.Policy(ctx, t)
			if has != "" && !sameJSON(has, policy) {
				p.lost = "the bucket policy"
			}
			return p, err
		}},
		{"encryption", ActionEncryption, func(ctx context.Context, c *Client, t Target) (p part, err error) {
			has, err := c.Encryption(ctx, t)
			if strings.HasPrefix(has.Algorithm, "aws:kms") {
				p.lost = "default encryption with a KMS key (" + has.Algorithm + ")"
			}
			return p, err
		}},
		{"object ownership", ActionOwnership, func(ctx context.Context, c *Client, t Target) (p part, err error) {
			has, err := c.Ownership(ctx, t)
			if has != "" && has != string(types.ObjectOwnershipBucketOwnerEnforced) {
				p.turns = "object ownership: " + has + " → BucketOwnerEnforced"
			}
			return p, err
		}},
		{"Block Public Access", ActionPublicAccess, func(ctx context.Context, c *Client, t Target) (p part, err error) {
			has, err := c.PublicAccess(ctx, t)
			if open := has.Open(); err == nil && len(open) > 0 {
				p.turns = "public access: blocked (" + strings.Join(open, ", ") + " become true)"
			}
			return p, err
		}},
		{"access control list", "s3:GetBucketAcl", func(ctx context.Context, c *Client, t Target) (p part, err error) {
			out, err := c.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			if err != nil || out.Owner == nil {
				return p, err
			}
			for _, grant := range out.Grants {
				if grant.Grantee != nil && aws.ToString(grant.Grantee.ID) != aws.ToString(out.Owner.ID) {
					p.lost = "grants of the access control list to others"
				}
			}
			return p, nil
		}},
	}
}

// detected are the settings that are detected only, so that none is lost unseen.
func detected() []subject {
	some := func(is bool, what string) (p part) {
		if is {
			p.lost = what
		}
		return p
	}
	return []subject{
		{"event notifications", "s3:GetBucketNotification", func(ctx context.Context, c *Client, t Target) (part, error) {
			out, err := c.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			return some(err == nil && (len(out.LambdaFunctionConfigurations)+len(out.QueueConfigurations)+len(out.TopicConfigurations) > 0 || out.EventBridgeConfiguration != nil), "event notifications"), err
		}},
		{"replication", "s3:GetReplicationConfiguration", func(ctx context.Context, c *Client, t Target) (part, error) {
			out, err := c.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			return some(err == nil && out.ReplicationConfiguration != nil && len(out.ReplicationConfiguration.Rules) > 0, "replication"), err
		}},
		{"object lock", "s3:GetBucketObjectLockConfiguration", func(ctx context.Context, c *Client, t Target) (part, error) {
			out, err := c.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			return some(err == nil && out.ObjectLockConfiguration != nil && out.ObjectLockConfiguration.Rule != nil, "the default retention of object lock"), err
		}},
		{"analytics", "s3:GetAnalyticsConfiguration", func(ctx context.Context, c *Client, t Target) (part, error) {
			out, err := c.ListBucketAnalyticsConfigurations(ctx, &s3.ListBucketAnalyticsConfigurationsInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			return some(err == nil && len(out.AnalyticsConfigurationList) > 0, "analytics configurations"), err
		}},
		{"inventory", "s3:GetInventoryConfiguration", func(ctx context.Context, c *Client, t Target) (part, error) {
			out, err := c.ListBucketInventoryConfigurations(ctx, &s3.ListBucketInventoryConfigurationsInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			return some(err == nil && len(out.InventoryConfigurationList) > 0, "inventory configurations"), err
		}},
		{"metrics", "s3:GetMetricsConfiguration", func(ctx context.Context, c *Client, t Target) (part, error) {
			out, err := c.ListBucketMetricsConfigurations(ctx, &s3.ListBucketMetricsConfigurationsInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			return some(err == nil && len(out.MetricsConfigurationList) > 0, "metrics configurations"), err
		}},
		{"intelligent tiering", "s3:GetIntelligentTieringConfiguration", func(ctx context.Context, c *Client, t Target) (part, error) {
			out, err := c.ListBucketIntelligentTieringConfigurations(ctx, &s3.ListBucketIntelligentTieringConfigurationsInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
			return some(err == nil && len(out.IntelligentTieringConfigurationList) > 0, "intelligent tiering configurations"), err
		}},
	}
}
