package bucket

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// Settings are what S3 says of a bucket.
type Settings struct {
	Public     PublicAccess
	Policy     string
	Encryption Encryption
	Ownership  string
	Tags       map[string]string
}

// asked are the settings that the spec of an ACK Bucket states, as its CRD calls
// them.
type asked struct {
	PublicAccessBlock *PublicAccess `json:"publicAccessBlock"`
	Encryption        *struct {
		Rules []struct {
			Default struct {
				Algorithm string `json:"sseAlgorithm"`
				Key       string `json:"kmsMasterKeyID"`
			} `json:"applyServerSideEncryptionByDefault"`
		} `json:"rules"`
	} `json:"encryption"`
	OwnershipControls *struct {
		Rules []struct {
			ObjectOwnership string `json:"objectOwnership"`
		} `json:"rules"`
	} `json:"ownershipControls"`
	Policy  string `json:"policy"`
	Tagging *struct {
		TagSet []struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"tagSet"`
	} `json:"tagging"`
}

// Differ names the settings that the spec of a Bucket resource states and S3 does
// not have, and those that are not compared: nothing is known of them. Tags beside
// those of the spec are no difference: ACK adds its own.
func (s Settings) Differ(spec map[string]any) []string {
	var want asked
	if data, err := json.Marshal(spec); err != nil || json.Unmarshal(data, &want) != nil {
		return []string{"spec"}
	}
	differ := slices.DeleteFunc(slices.Sorted(maps.Keys(spec)), isCompared)
	for _, one := range []struct {
		name string
		same bool
	}{
		{"publicAccessBlock", want.PublicAccessBlock == nil || *want.PublicAccessBlock == s.Public},
		{"encryption", want.encrypted(s.Encryption)},
		{"ownershipControls", want.owned(s.Ownership)},
		{"tagging", want.tagged(s.Tags)},
		{"policy", want.Policy == "" || sameJSON(want.Policy, s.Policy)},
	} {
		if !one.same {
			differ = append(differ, one.name)
		}
	}
	return differ
}

// isCompared reports whether a key of a spec is one that Differ compares, or one that
// ACK fills in as S3 has it (abac).
func isCompared(key string) bool {
	return slices.Contains([]string{"name", "abac", "publicAccessBlock", "encryption", "ownershipControls", "tagging", "policy"}, key)
}

func (a asked) encrypted(is Encryption) bool {
	if a.Encryption == nil || len(a.Encryption.Rules) == 0 {
		return true
	}
	rule := a.Encryption.Rules[0].Default
	return rule.Algorithm == is.Algorithm && (rule.Key == "" || rule.Key == is.Key)
}

func (a asked) owned(is string) bool {
	return a.OwnershipControls == nil || len(a.OwnershipControls.Rules) == 0 || a.OwnershipControls.Rules[0].ObjectOwnership == is
}

func (a asked) tagged(is map[string]string) bool {
	if a.Tagging == nil {
		return true
	}
	for _, tag := range a.Tagging.TagSet {
		if value, has := is[tag.Key]; !has || value != tag.Value {
			return false
		}
	}
	return true
}

// sameJSON compares documents whatever their white space and order of keys.
func sameJSON(one, other string) bool {
	var a, b any
	if json.Unmarshal([]byte(one), &a) != nil || json.Unmarshal([]byte(other), &b) != nil {
		return false
	}
	return reflect.DeepEqual(a, b)
}
