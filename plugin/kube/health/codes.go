package health

import (
	"regexp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Cures that end with an install, by whoever manages the app.
const (
	spec   = "correct the Bucket with --set or -f, or undo what was changed in it, and install again"
	place  = "install with the region that the bucket is in"
	enable = "enable the region in the AWS account, or install with another one"
)

// advise is what to do about a code that stays.
func (c s3Code) advise(obj *unstructured.Unstructured, in Around) string {
	whole := describeBucket(obj) + " shows the whole message"
	switch c.cure {
	case spec:
		return c.cure + " (" + whole + "):\n" + in.again()
	case enable:
		return c.cure + " (" + whole + "):\n" + in.again("--region", "REGION")
	case place:
		return WhereIs(obj.GetName()) + "; then " + c.cure + ":\n" + in.again("--region", "REGION")
	}
	return c.cure + "; " + whole
}

// s3Code is an error code of S3 (Amazon S3 API Reference, "Error responses", "List of error
// codes"), or of the services behind it, that a controller can get for a request about a
// bucket.
type s3Code struct {
	never bool   // it stays until somebody changes something
	says  string // what it means, "" where S3's own sentence is enough
	cure  string // for those that stay
}

// s3Codes are the codes for creating, configuring and deleting a bucket. Those of requests
// about objects, uploads, POST forms, SOAP and S3 Select are left out. What is not in the
// table may pass. AccessDenied is judged apart: IAM spreads changes slowly.
func s3Codes() map[string]s3Code {
	const (
		state = "the bucket has a setting that excludes this one, such as versioning, replication, object lock or object ownership: change it in S3, or choose another project"
		keys  = "give the ACK S3 controller a role that works; oc ostoy-s3 controller status shows what it has"
		other = "choose another project: the bucket is always <project>-bucket"
		aws   = "ask who administers the AWS account; AWS Support resolves it"
		kms   = "use a KMS key that exists, is enabled, is in the region of the bucket, and whose policy lets the role of the ACK S3 controller use it"
	)
	all := map[string]s3Code{
		"BucketAlreadyExists":     {true, "the name belongs to another AWS account", other + ": oc ostoy-s3 install --new-project"},
		"InvalidBucketName":       {true, "S3 does not accept the name", other},
		"TooManyBuckets":          {true, "the account has as many buckets as its quota allows", "delete buckets that are not used, or request a higher quota (Service Quotas, Amazon S3, \"General purpose buckets\")"},
		"BucketAlreadyOwnedByYou": {false, "the account has the bucket already, and S3 does not list it yet", ""},
		"InvalidTag":              {true, "S3 does not accept a tag", "correct the tags with --tags or --set: a key has up to 128 and a value up to 256 letters, digits, spaces and _ . : / = + - @, no key is given twice, and none begins with aws:"},
		"BucketNotEmpty":          {true, "it is to be deleted and is not empty", ""},
	}
	put := func(code s3Code, names ...string) {
		for _, name := range names {
			all[name] = code
		}
	}
	put(s3Code{true, "the bucket has a state that does not allow this setting", state}, "InvalidBucketState", "IllegalVersioningConfigurationException", "InvalidBucketAclWithObjectOwnership", "AccessControlListNotSupported", "ObjectLockConfigurationNotAllowed", "BucketHasAccessPointsAttached", "VersioningNotEnabledOnBucket")
	put(s3Code{true, "S3 does not accept a field of the Bucket", spec},
		"InvalidArgument", "InvalidRequest", "MalformedXML", "MalformedACLError", "InvalidEncryptionAlgorithmError", "InvalidStorageClass", "InvalidTargetBucketForLogging",
		"CrossLocationLoggingProhibited", "InvalidBucketOwnerAWSAccountID", "UnsupportedArgument", "InvalidNamespaceHeader", "MissingNamespaceHeader", "AmbiguousGrantByEmailAddress",
		"UnresolvableGrantByEmailAddress", "InvalidPayer", "TooManyConfigurations", "InvalidS3DestinationBucket", "InvalidURI", "MissingRequestBodyError", "InvalidDigest", "ValidationError", "ValidationException")
	put(s3Code{true, "a tag policy of the AWS organization does not allow a tag", "set the tags that it asks for with --tags, or ask who administers the AWS organization"}, "TagPolicyException", "TagPolicyViolation")
	put(s3Code{true, "S3 allows a bucket 50 tags, and the controller needs two of them", "give fewer tags with --tags or --set"}, "TooManyTags", "TooManyTagsException")
	put(s3Code{true, "S3 does not accept the policy of the bucket", spec}, "MalformedPolicy", "InvalidPolicyDocument", "MalformedPolicyDocument", "PolicyTooLarge")
	put(s3Code{true, "the bucket, or the controller, is in another region", place}, "PermanentRedirect", "MovedPermanently", "IllegalLocationConstraintException", "InvalidLocationConstraint", "AuthorizationHeaderMalformed", "InvalidRegion", "IncorrectEndpoint")
	put(s3Code{true, "the region is switched off in the account", enable}, "OptInRequired", "RegionDisabledException", "AccountRequiresOptIn")
	put(s3Code{true, "AWS does not accept the credentials of the ACK S3 controller", keys}, "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity", "InvalidClientTokenId", "UnrecognizedClientException", "CredentialsNotSupported", "MissingSecurityHeader", "MissingSecurityElement", "MissingAuthenticationToken", "InvalidIdentityToken", "InvalidSignature", "UnsupportedSignature", "AuthorizationQueryParametersError")
	put(s3Code{true, "AWS does not serve the account", aws}, "AccountProblem", "AllAccessDisabled", "NotSignedUp", "UnauthorizedAccess", "UnauthorizedAccessError", "UnexpectedIPError", "AccountSuspended", "PendingVerification")
	put(s3Code{true, "S3 does not have this function in the region, or for this kind of bucket", spec}, "NotImplemented", "MethodNotAllowed", "UnsupportedOperation", "APINotSupported")
	put(s3Code{true, "the KMS key cannot be used", kms}, "KMS.NotFoundException", "KMS.DisabledException", "KMS.InvalidKeyUsageException", "KMS.KMSInvalidStateException", "KMS.InvalidStateException", "KMS.OptInRequired", "KMSKeyNotAccessibleFault", "NotFoundException")
	put(s3Code{false, "another change of the bucket is under way; after a bucket of this name was deleted, this can last an hour", ""}, "OperationAborted", "ConditionalRequestConflict", "ConcurrentModification")
	put(s3Code{false, "S3 limits the number of requests", ""}, "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "TooManyRequestsException", "RequestThrottled", "RequestThrottledException", "BandwidthLimitExceeded", "LimitExceeded")
	put(s3Code{false, "S3 has an error of its own", ""}, "InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable", "Busy")
	put(s3Code{false, "the request was interrupted", ""}, "RequestTimeout", "RequestTimeoutException", "IncompleteBody", "BadDigest", "ConnectionClosedByRequester", "RequestError", "RequestCanceled")
	put(s3Code{false, "S3 does not know the bucket everywhere yet", ""}, "NoSuchBucket", "TemporaryRedirect", "Redirect", "NotFound")
	put(s3Code{false, "the credentials of the controller are being renewed", ""}, "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired")
	put(s3Code{false, "the clock of the controller's node is wrong", ""}, "RequestTimeTooSkewed")
	put(s3Code{}, "NoSuchBucketPolicy", "NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration", "NoSuchTagSet", "NoSuchTagSetError", "NoSuchWebsiteConfiguration", "NoSuchPublicAccessBlockConfiguration",
		"NoSuchConfiguration", "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "OwnershipControlsNotFoundError", "ReplicationConfigurationNotFoundError",
		"ServerSideEncryptionConfigurationNotFoundError", "MetadataConfigurationNotFound", "PreconditionFailed")
	return all
}

// codeIn is the error code in a condition. The SDKs write "api error CODE: text", or
// "CODE: text" for an error that the service's model names; older ones also
// "CODE: text\n\tstatus code: 400".
func codeIn(text string) (name string, code s3Code, known bool) {
	all := s3Codes()
	for _, form := range []string{`api error ([\w.]+)(?::|\s|$)`, `(?:^|[\s:,])([A-Z][\w]*(?:\.[A-Z]\w*)?):? `, `(?:^|[\s:,])([A-Z]\w*(?:\.[A-Z]\w*)?)(?:[:,.]|$)`} {
		for _, m := range regexp.MustCompile(form).FindAllStringSubmatch(text, -1) {
			if code, known := all[m[1]]; known {
				return m[1], code, true
			}
		}
	}
	return "", s3Code{}, false
}
