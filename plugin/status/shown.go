package status

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// shown is a value that others wrote, as a report repeats it: what it is not, if it is not
// legal for its kind. "" stays "".
func shown(text string, kind func(string) advice.Value) string {
	if text == "" {
		return ""
	}
	return kind(text).String()
}

// shownRecord is what the inventory has on record, as a report repeats it: the ConfigMap
// can be edited in the project.
func shownRecord(record apply.Record) apply.Record {
	origin := func(text string) advice.Value {
		return advice.OneOf(text, "an origin", apply.OriginCreated, apply.OriginAdopted, apply.OriginExisting)
	}
	return apply.Record{
		RoleARN:       shown(record.RoleARN, advice.RoleARN),
		RoleOrigin:    shown(record.RoleOrigin, origin),
		PolicyARN:     shown(record.PolicyARN, advice.PolicyARN),
		BucketPattern: shown(record.BucketPattern, advice.BucketPattern),
		Bucket:        shown(record.Bucket, advice.BucketName),
		BucketOrigin:  shown(record.BucketOrigin, origin),
		Account:       shown(record.Account, advice.Account),
		Partition: shown(record.Partition, func(text string) advice.Value {
			return advice.OneOf(text, "a partition of AWS", render.Partitions()...)
		}),
		Region:          shown(record.Region, advice.Region),
		Issuer:          shown(record.Issuer, advice.Issuer),
		ClusterID:       shown(record.ClusterID, advice.ClusterID),
		NamespaceOrigin: shown(record.NamespaceOrigin, origin),
		Version:         shown(record.Version, advice.Version),
		Identity: shown(record.Identity, func(text string) advice.Value {
			return advice.OneOf(text, "a way to give the controller its role", string(operator.Subscription), string(operator.Annotation))
		}),
	}
}

// shownTags are tags in one line each.
func shownTags(tags map[string]string) map[string]string {
	if tags == nil {
		return nil
	}
	all := make(map[string]string, len(tags))
	for key, value := range tags {
		all[plain.Line(key)] = plain.Line(value)
	}
	return all
}

// check is the command that says more.
func (f Found) check() string {
	return advice.Command("oc ostoy-s3 check", "-n", f.Facts.Namespace.Value)
}
