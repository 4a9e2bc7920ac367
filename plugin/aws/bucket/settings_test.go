package bucket

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
)

// settingsServer plays S3 for one bucket: sub-resource to answer.
func settingsServer(t *testing.T, answers map[string]answer) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Expected-Bucket-Owner") != target().Account {
			t.Errorf("%s does not say whose the bucket must be", r.URL)
		}
		for name, a := range answers {
			if r.URL.Query().Has(name) {
				write(w, a)
				return
			}
		}
		t.Errorf("unexpected %s", r.URL)
	}))
	t.Cleanup(server.Close)
	cfg := config()
	cfg.BaseEndpoint = aws.String(server.URL)
	return New(cfg)
}

func TestSettings(t *testing.T) {
	c := settingsServer(t, map[string]answer{
		"publicAccessBlock": {200, `<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>` +
			`<BlockPublicPolicy>false</BlockPublicPolicy></PublicAccessBlockConfiguration>`},
		"policy": {200, `{"Statement":[]}`},
		"encryption": {200, `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>` +
			`<KMSMasterKeyID>k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`},
		"ownershipControls": {200, `<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>`},
	})
	access, err := c.PublicAccess(t.Context(), target())
	if err != nil || !slices.Equal(access.Open(), []string{"blockPublicPolicy", "restrictPublicBuckets"}) {
		t.Errorf("%v, %v", access.Open(), err)
	}
	if policy, err := c.Policy(t.Context(), target()); err != nil || policy != `{"Statement":[]}` {
		t.Errorf("%q, %v", policy, err)
	}
	if e, err := c.Encryption(t.Context(), target()); err != nil || e != (Encryption{"aws:kms", "k"}) {
		t.Errorf("%+v, %v", e, err)
	}
	if owner, err := c.Ownership(t.Context(), target()); err != nil || owner != "BucketOwnerEnforced" {
		t.Errorf("%q, %v", owner, err)
	}
}

// TestSettingsNeverMade: that a setting was never made is an answer.
func TestSettingsNeverMade(t *testing.T) {
	c := settingsServer(t, map[string]answer{
		"publicAccessBlock": refusal(404, "NoSuchPublicAccessBlockConfiguration"),
		"policy":            refusal(404, "NoSuchBucketPolicy"),
		"encryption":        refusal(404, "ServerSideEncryptionConfigurationNotFoundError"),
		"ownershipControls": refusal(404, "OwnershipControlsNotFoundError"),
	})
	access, err := c.PublicAccess(t.Context(), target())
	if err != nil || len(access.Open()) != 4 {
		t.Errorf("%v, %v", access, err)
	}
	if policy, err := c.Policy(t.Context(), target()); err != nil || policy != "" {
		t.Errorf("%q, %v", policy, err)
	}
	if e, err := c.Encryption(t.Context(), target()); err != nil || e != (Encryption{}) {
		t.Errorf("%v, %v", e, err)
	}
	if owner, err := c.Ownership(t.Context(), target()); err != nil || owner != "" {
		t.Errorf("%q, %v", owner, err)
	}
}

// TestSettingsRefused: a refusal is told from every other failure.
func TestSettingsRefused(t *testing.T) {
	for code, denied := range map[string]bool{"AccessDenied": true, "MethodNotAllowed": false} {
		no := refusal(403, code)
		c := settingsServer(t, map[string]answer{"publicAccessBlock": no, "policy": no, "encryption": no, "ownershipControls": no})
		_, public := c.PublicAccess(t.Context(), target())
		_, policy := c.Policy(t.Context(), target())
		_, encryption := c.Encryption(t.Context(), target())
		_, ownership := c.Ownership(t.Context(), target())
		for _, err := range []error{public, policy, encryption, ownership} {
			if err == nil || awserr.Denied(err) != denied {
				t.Errorf("%s: %v", code, err)
			}
		}
	}
}
