package plugin

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// advise adds the commands to what was found, when AWS has answered.
func (s *statusRun) advise(found *status.Found) {
	found.Again, found.Tighten = s.again(found.AWS), s.again(found.AWS, "--adopt", "--tighten-role")
	if s.checkup.inventory.RoleOrigin == apply.OriginExisting && !s.onlyUsed(found.AWS) {
		found.Again += "\n" + advice.ManagedByOthers
	}
	if createsFirstRoute(*found) {
		found.Again += "\n" + asksForRoute
	}
}

// asksForRoute says what aboutExposure asks. What the app was exposed by before, only the
// project says.
const asksForRoute = "install asks for confirmation before it creates the Route or Ingress, because the bucket has objects; a script needs --yes"

// createsFirstRoute reports whether install would create a Route or an Ingress to an app
// that exists, with a bucket that is not known to be empty.
func createsFirstRoute(found status.Found) bool {
	if found.Plan == nil || found.AWS.ContentsErr == nil && found.AWS.Contents.Objects == 0 && !found.AWS.More {
		return false
	}
	creates, exists := false, false
	for _, item := range found.Plan.Items {
		creates = creates || isExposing(item.Ref.Kind) && item.Action == apply.Create
		exists = exists || item.Ref.Kind == "Deployment" && item.Live != nil
	}
	return creates && exists
}

// again is the install that changes everything to what status compares with, with flags.
// Everybody who can edit the project can write its inventory and its Bucket. So what
// install does not find out by itself is among the words only if you gave it, or if AWS
// says it: IAM of the role, S3 of the region.
func (s *statusRun) again(from status.AWS, flags ...string) string {
	words := append([]string{"-n", s.facts.Namespace.Value}, s.regionWords(from)...)
	words = append(words, s.roleWords(from)...)
	if policy := s.request.Role.PolicyARN; policy != "" {
		words = append(words, "--policy-arn", policy)
	}
	if s.onlyUsed(from) {
		words = append(words, "--iam=skip")
	}
	return advice.Command("oc ostoy-s3 install", append(words, flags...)...)
}

// onlyUsed reports whether another tool manages the role: the inventory says so, and IAM
// shows it.
func (s *statusRun) onlyUsed(from status.AWS) bool {
	record := s.checkup.inventory.Record
	return record.RoleOrigin == apply.OriginExisting && iam.OnlyUsed(record.RoleARN, s.issuerFacts(), from.Role)
}

// issuerFacts are the facts of the project with the issuer that was detected or given:
// that of the inventory shows nothing.
func (s *statusRun) issuerFacts() render.Facts {
	facts := s.checkup.found.Facts
	facts.Namespace = s.facts.Namespace
	return facts
}

// regionWords are the region of the bucket, if install would use another one without it.
func (s *statusRun) regionWords(from status.AWS) []string {
	given := s.request.Facts.Given.Region.Value
	region := given
	if said := from.Bucket; from.BucketErr == nil && said.Kind != bucket.OtherAccount && advice.Region(said.Region).Legal() {
		region = said.Region
	}
	if region == "" || given == "" && region == s.checkup.found.Facts.Region.Value {
		return nil
	}
	return []string{"--region", region}
}

// roleWords name the role: as you did, or as the inventory does if IAM proves it. Which
// role was adopted install finds out by itself.
func (s *statusRun) roleWords(from status.AWS) []string {
	facts := s.issuerFacts()
	given, record := s.request.Role, s.checkup.inventory.Record
	switch {
	case given.Name != "" || given.Path != "":
		return advice.RoleFlags(given.Name, given.Path, render.RoleNames(facts.Issuer.Value, facts.Namespace.Value)...)
	case record.RoleOrigin == apply.OriginAdopted:
		return nil
	}
	return iam.Recall(record.RoleARN, record.RoleOrigin == apply.OriginExisting, facts, func() *iam.Actual { return from.Role })
}
