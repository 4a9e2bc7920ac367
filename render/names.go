package render

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// ServiceAccount is the one service account that may assume the role.
const ServiceAccount = "ostoy-sa"

// The Deployments of the chart. The pods of the frontend have the identity.
const (
	Frontend     = "ostoy-frontend"
	Microservice = "ostoy-microservice"
)

// ControllerNamespace is where the ACK S3 controller goes, and ControllerAccount
// its service account: the namespace that its bundle suggests and the name that
// its Deployment has, and the same in ACK's own chart.
const (
	ControllerNamespace = "ack-system"
	ControllerAccount   = "ack-s3-controller"
)

// RolePath is the IAM path of the roles of apps. IAM cannot search by tag, but it
// can list by path.
const RolePath = "/ostoy-s3/"

// ControllerRolePath is the IAM path of the role of the ACK S3 controller. It is not
// below RolePath, so that a policy for people, on role/ostoy-s3/*, does not include
// it. Controller roles from before it are under RolePath; they are found and kept: a
// path cannot be changed.
const ControllerRolePath = "/ostoy-s3-controller/"

// Tag keys that say whose a role or a bucket is.
const (
	TagManagedBy = "app.kubernetes.io/managed-by"
	TagIssuer    = "ostoy-s3/issuer"
	TagNamespace = "ostoy-s3/namespace"
	TagClusterID = "ostoy-s3/cluster-id"
)

// Tag keys of the role alone: what install was asked for, kept where only IAM's
// permissions decide who writes it.
const (
	// TagBucket is the name of the app's S3 bucket.
	TagBucket = "ostoy-s3/bucket"
	// TagPolicy is the ARN of the managed policy of --policy-arn, or a hash of it; without
	// one, a role has no such tag, or "none" where it had one before.
	TagPolicy = "ostoy-s3/policy"
)

// ManagedBy is the value of TagManagedBy, and our field manager.
const ManagedBy = "ostoy-s3"

// maxRoleNamespace is how much of the namespace goes into a role name: with
// the infix and the hash the name stays below IAM's 64 characters.
const maxRoleNamespace = 40

// The hash in a role's name tells clusters and namespaces apart that look the same in
// the rest of it. Two names collide by chance, or by choice, with a probability that
// falls with its length.
const (
	roleHashDigits    = 12
	earlierHashDigits = 8 // in roles that earlier versions created
)

// PendingIssuer stands for the issuer of a cluster that shows it only in a token, as long as
// there is no project to request one in. No cluster has it: RFC 2606 reserves the domain.
// What is computed with it is for people to read and is never applied.
const PendingIssuer = "https://known-once-the-project-exists.invalid"

// pendingHash takes the place of the hash in the name of a role whose issuer is pending.
const pendingHash = "KNOWN-LATER"

// RoleName is the name of a new role for a namespace of a cluster: the namespace cut
// to 40 characters, "-ostoy-sa-", and 12 hex digits of the SHA-256 of issuer, newline,
// namespace. The issuer has https and no trailing slash.
func RoleName(issuer, namespace string) string {
	if issuer == PendingIssuer {
		return roleStem(namespace) + pendingHash
	}
	return roleStem(namespace) + hashOf(issuer + "\n" + namespace)[:roleHashDigits]
}

// EarlierRoleName is RoleName as earlier versions computed it: with 8 hex digits. A role
// cannot be renamed, so one that has this name keeps it.
func EarlierRoleName(issuer, namespace string) string {
	return roleStem(namespace) + hashOf(issuer + "\n" + namespace)[:earlierHashDigits]
}

// RoleNames are the names that the role of a namespace has unless you give another: that
// of a new role, and that of a role which an earlier version created.
func RoleNames(issuer, namespace string) []string {
	return []string{RoleName(issuer, namespace), EarlierRoleName(issuer, namespace)}
}

// ControllerRoleName is the name of a new role for a cluster's ACK S3 controller:
// "ack-s3-controller-" and 12 hex digits of the SHA-256 of the issuer. A cluster
// has one such controller, so the namespace is not in it. The issuer has https and
// no trailing slash, as for RoleName.
func ControllerRoleName(issuer string) string {
	return ControllerAccount + "-" + hashOf(issuer)[:roleHashDigits]
}

// ControllerRoleNames are RoleNames for the role of a cluster's ACK S3 controller.
func ControllerRoleNames(issuer string) []string {
	return []string{ControllerRoleName(issuer), ControllerAccount + "-" + hashOf(issuer)[:earlierHashDigits]}
}

func roleStem(namespace string) string {
	return namespace[:min(len(namespace), maxRoleNamespace)] + "-" + ServiceAccount + "-"
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// BucketName is the bucket OSToy looks for: it has no setting for another.
func BucketName(namespace string) string { return namespace + "-bucket" }

// BucketARN is the ARN of a bucket, which names neither region nor account.
func BucketARN(partition, bucket string) string { return "arn:" + partition + ":s3:::" + bucket }

// BucketPolicy is the bucket policy that the chart writes, byte for byte: it denies
// every request without TLS, and allows nothing.
func BucketPolicy(bucketARN string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["` +
		bucketARN + `","` + bucketARN + `/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
}

// RoleARN is the ARN of a role; path begins and ends with a slash.
func RoleARN(partition, account, path, name string) string {
	return "arn:" + partition + ":iam::" + account + ":role" + path + name
}

// ProviderARN is the ARN of the IAM OIDC provider of an issuer: host and full
// path, without the scheme.
func ProviderARN(partition, account, issuer string) string {
	return "arn:" + partition + ":iam::" + account + ":oidc-provider/" + IssuerHostPath(issuer)
}

// IssuerHostPath is the issuer as IAM's condition keys spell it.
func IssuerHostPath(issuer string) string { return strings.TrimPrefix(issuer, "https://") }

// OwnershipTags are the tags by which a role or bucket is recognised as ours.
// The cluster id is left out where it is unknown.
func OwnershipTags(f Facts) map[string]string {
	tags := map[string]string{
		TagManagedBy: ManagedBy,
		TagIssuer:    f.Issuer.Value,
		TagNamespace: f.Namespace.Value,
	}
	if f.ClusterID.Known() {
		tags[TagClusterID] = f.ClusterID.Value
	}
	return tags
}

// OwnTag reports whether a tag key is one of those that only this tool writes.
func OwnTag(key string) bool { return key == TagManagedBy || strings.HasPrefix(key, "ostoy-s3/") }

// Ours reports whether tags name this tool, this issuer and this namespace.
func Ours(tags map[string]string, f Facts) bool {
	return tags[TagManagedBy] == ManagedBy &&
		tags[TagIssuer] == f.Issuer.Value &&
		tags[TagNamespace] == f.Namespace.Value
}

// OfThisCluster is Ours, and also asks for the cluster id: clusters may share an issuer.
func OfThisCluster(tags map[string]string, f Facts) bool {
	return Ours(tags, f) && AnotherCluster(tags, f) == ""
}

// AnotherCluster returns the cluster id in the tags where it is known to be
// another than this cluster's: two clusters may share one issuer.
func AnotherCluster(tags map[string]string, f Facts) string {
	other := tags[TagClusterID]
	if other == "" || !f.ClusterID.Known() || other == f.ClusterID.Value {
		return ""
	}
	return other
}

// OwnBucketPattern matches the buckets of the projects that install --new-project
// names itself.
const OwnBucketPattern = "ostoy-*-bucket"

// PatternFor is the narrowest of the usual bucket patterns that matches the bucket of
// a project: OwnBucketPattern, or the name of the bucket.
func PatternFor(namespace string) string { return PatternForBucket(BucketName(namespace)) }

// PatternForBucket is PatternFor by the name of the bucket.
func PatternForBucket(bucket string) string {
	before, after, _ := strings.Cut(OwnBucketPattern, "*")
	if strings.HasPrefix(bucket, before) && strings.HasSuffix(bucket, after) && len(bucket) >= len(before+after) {
		return OwnBucketPattern
	}
	return bucket
}
