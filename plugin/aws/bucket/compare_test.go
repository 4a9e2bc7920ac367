package bucket

import (
	"slices"
	"testing"

	"sigs.k8s.io/yaml"
)

const compared = `
name: demo-bucket
publicAccessBlock: {blockPublicACLs: true, blockPublicPolicy: true, ignorePublicACLs: true, restrictPublicBuckets: true}
encryption: {rules: [{applyServerSideEncryptionByDefault: {sseAlgorithm: AES256}, bucketKeyEnabled: false}]}
ownershipControls: {rules: [{objectOwnership: BucketOwnerEnforced}]}
tagging: {tagSet: [{key: a, value: b}]}
policy: '{"Version":"2012-10-17","Statement":[]}'
`

// TestDiffer: each setting that the spec states counts, and no other.
func TestDiffer(t *testing.T) {
	good := func() Settings {
		return Settings{
			Public: PublicAccess{true, true, true, true}, Policy: `{"Statement": [], "Version": "2012-10-17"}`,
			Encryption: Encryption{Algorithm: "AES256"}, Ownership: "BucketOwnerEnforced",
			Tags: map[string]string{"a": "b", "services.k8s.aws/namespace": "demo"},
		}
	}
	for name, c := range map[string]struct {
		spec   string
		change func(*Settings)
		want   []string
	}{
		"same":           {compared, func(*Settings) {}, nil},
		"stated nowhere": {"name: demo-bucket", func(s *Settings) { *s = Settings{} }, nil},
		"public":         {compared, func(s *Settings) { s.Public.IgnorePublicACLs = false }, []string{"publicAccessBlock"}},
		"unencrypted":    {compared, func(s *Settings) { s.Encryption = Encryption{} }, []string{"encryption"}},
		"ACLs":           {compared, func(s *Settings) { s.Ownership = "" }, []string{"ownershipControls"}},
		"another tag":    {compared, func(s *Settings) { s.Tags = map[string]string{"a": "c"} }, []string{"tagging"}},
		"nothing":        {compared, func(s *Settings) { *s = Settings{} }, []string{"publicAccessBlock", "encryption", "ownershipControls", "tagging", "policy"}},
	} {
		var spec map[string]any
		if err := yaml.Unmarshal([]byte(c.spec), &spec); err != nil {
			t.Fatal(err)
		}
		is := good()
		c.change(&is)
		if got := is.Differ(spec); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
