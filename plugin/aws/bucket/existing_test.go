package bucket

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
)

// TestExisting: each setting of a bucket is kept in the words of the Bucket resource, or
// named as one that would be lost, or as one that changes; nothing that S3 has not.
func TestExisting(t *testing.T) {
	const policy = `{"Statement": []}`
	for name, c := range map[string]struct {
		part, answer string
		field        string
		value        any
		lost, turns  string
	}{
		"versioning":           {part: "versioning", answer: `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`, field: "versioning", value: map[string]any{"status": "Enabled"}},
		"versioning suspended": {part: "versioning", answer: `<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>`, field: "versioning", value: map[string]any{"status": "Suspended"}},
		"versioning never on":  {part: "versioning", answer: `<VersioningConfiguration></VersioningConfiguration>`},
		"MFA delete": {
			part: "versioning", answer: `<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>`,
			field: "versioning", value: map[string]any{"status": "Enabled"}, lost: "MFA delete",
		},
		"lifecycle": {
			part: "lifecycle", answer: `<LifecycleConfiguration><Rule><ID>old</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter><Expiration><Days>30</Days></Expiration>` +
				`<NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration><Transition><Date>2026-01-02T00:00:00Z</Date><StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>`,
			field: "lifecycle", value: map[string]any{"rules": []any{map[string]any{
				"id": "old", "status": "Enabled", "filter": map[string]any{"prefix": ""}, "expiration": map[string]any{"days": int64(30)},
				"noncurrentVersionExpiration": map[string]any{"noncurrentDays": int64(7)},
				"transitions":                 []any{map[string]any{"date": "2026-01-02T00:00:00Z", "storageClass": "GLACIER"}},
			}}},
		},
		"CORS": {
			part: "cors", answer: `<CORSConfiguration><CORSRule><ID>a</ID><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>`,
			field: "cors", value: map[string]any{"corsRules": []any{map[string]any{"id": "a", "allowedMethods": []any{"GET"}, "allowedOrigins": []any{"*"}, "maxAgeSeconds": int64(60)}}},
		},
		"website": {
			part: "website", answer: `<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument><RoutingRules><RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>` +
				`<Redirect><HostName>x</HostName></Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>`,
			field: "website", value: map[string]any{
				"indexDocument": map[string]any{"suffix": "index.html"},
				"routingRules":  []any{map[string]any{"condition": map[string]any{"httpErrorCodeReturnedEquals": "404"}, "redirect": map[string]any{"hostName": "x"}}},
			},
		},
		"logging": {
			part: "logging", answer: `<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>p</TargetPrefix></LoggingEnabled></BucketLoggingStatus>`,
			field: "logging", value: map[string]any{"loggingEnabled": map[string]any{"targetBucket": "logs", "targetPrefix": "p"}},
		},
		"no logging":            {part: "logging", answer: `<BucketLoggingStatus></BucketLoggingStatus>`},
		"logging by date":       {part: "logging", answer: `<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetObjectKeyFormat><SimplePrefix></SimplePrefix></TargetObjectKeyFormat></LoggingEnabled></BucketLoggingStatus>`, lost: "access logging"},
		"acceleration":          {part: "accelerate", answer: `<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>`, field: "accelerate", value: map[string]any{"status": "Enabled"}},
		"requester pays":        {part: "requestPayment", answer: `<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>`, field: "requestPayment", value: map[string]any{"payer": "Requester"}},
		"the owner pays":        {part: "requestPayment", answer: `<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>`},
		"the app's policy":      {part: "policy", answer: `{"Statement":[]}`},
		"another policy":        {part: "policy", answer: `{"Statement":[{}]}`, lost: "the bucket policy"},
		"SSE-S3":                {part: "encryption", answer: `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`},
		"KMS":                   {part: "encryption", answer: `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms:dsse</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`, lost: "KMS key (aws:kms:dsse)"},
		"ownership":             {part: "ownershipControls", answer: `<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`, turns: "ObjectWriter → BucketOwnerEnforced"},
		"ownership of the app":  {part: "ownershipControls", answer: `<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>`},
		"public access":         {part: "publicAccessBlock", answer: `<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>`, turns: "public access: blocked"},
		"the owner's ACL":       {part: "acl", answer: `<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList><Grant><Grantee><ID>me</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`},
		"an ACL for others":     {part: "acl", answer: `<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList><Grant><Grantee><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>`, lost: "access control list"},
		"notifications":         {part: "notification", answer: `<NotificationConfiguration><QueueConfiguration><Queue>q</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>`, lost: "event notifications"},
		"EventBridge":           {part: "notification", answer: `<NotificationConfiguration><EventBridgeConfiguration></EventBridgeConfiguration></NotificationConfiguration>`, lost: "event notifications"},
		"replication":           {part: "replication", answer: `<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status></Rule></ReplicationConfiguration>`, lost: "replication"},
		"object lock":           {part: "object-lock", answer: `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`},
		"default retention":     {part: "object-lock", answer: `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>`, lost: "object lock"},
		"analytics":             {part: "analytics", answer: `<ListBucketAnalyticsConfigurationResult><AnalyticsConfiguration><Id>a</Id></AnalyticsConfiguration></ListBucketAnalyticsConfigurationResult>`, lost: "analytics"},
		"inventory":             {part: "inventory", answer: `<ListInventoryConfigurationsResult><InventoryConfiguration><Id>a</Id></InventoryConfiguration></ListInventoryConfigurationsResult>`, lost: "inventory"},
		"metrics":               {part: "metrics", answer: `<ListMetricsConfigurationsResult><MetricsConfiguration><Id>a</Id></MetricsConfiguration></ListMetricsConfigurationsResult>`, lost: "metrics"},
		"intelligent tiering":   {part: "intelligent-tiering", answer: `<ListBucketIntelligentTieringConfigurationsOutput><IntelligentTieringConfiguration><Id>a</Id></IntelligentTieringConfiguration></ListBucketIntelligentTieringConfigurationsOutput>`, lost: "intelligent tiering"},
		"a bucket without them": {},
	} {
		t.Run(name, func(t *testing.T) {
			server := awstest.New(t)
			if c.part != "" {
				server.Handle("GET demo-bucket?"+c.part, func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("X-Amz-Expected-Bucket-Owner") != awstest.Account {
						t.Error("S3 is not told whose the bucket must be")
					}
					_, _ = w.Write([]byte(c.answer))
				})
			}
			got, err := ReadExisting(t.Context(), New(server.Config()), Target{Name: "demo-bucket", Account: awstest.Account, Region: awstest.Region}, policy)
			if err != nil || !reflect.DeepEqual(got.Spec[c.field], c.value) || len(got.Spec) > 1 || len(got.Unread) > 0 {
				t.Errorf("%#v, %v", got, err)
			}
			for what, is := range map[string][]string{c.lost: got.Lost, c.turns: got.Becomes} {
				if (what == "") != (len(is) == 0) && !(what == "" && c.lost != c.turns) || what != "" && !slices.ContainsFunc(is, func(one string) bool { return strings.Contains(one, what) }) {
					t.Errorf("%q, want %q", is, what)
				}
			}
		})
	}
}

// TestExistingUnread: what AWS does not show is named with the permission, and a failure is
// no setting that is missing.
func TestExistingUnread(t *testing.T) {
	server := awstest.New(t)
	server.Refuse("GET demo-bucket?lifecycle", http.StatusForbidden, "AccessDenied", "no")
	target := Target{Name: "demo-bucket", Account: awstest.Account, Region: awstest.Region}
	got, err := ReadExisting(t.Context(), New(server.Config()), target, "")
	if err != nil || !slices.Equal(got.Unread, []string{"lifecycle rules (needs s3:GetLifecycleConfiguration)"}) {
		t.Errorf("%+v, %v", got, err)
	}
	server.Refuse("GET demo-bucket?accelerate", http.StatusBadRequest, "UnsupportedArgument", "not in this region")
	if got, err := ReadExisting(t.Context(), New(server.Config()), target, ""); err != nil || len(got.Spec) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	server.Refuse("GET demo-bucket?cors", http.StatusInternalServerError, "InternalError", "boom")
	if _, err := ReadExisting(t.Context(), New(server.Config()), target, ""); err == nil {
		t.Error("a failure counts as no setting")
	}
}
