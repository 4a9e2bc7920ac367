package bucket

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Kind is what a look at the bucket found.
type Kind string

// What can be found.
const (
	Free           Kind = "free"            // no bucket has the name
	Ours           Kind = "ours"            // this namespace of this cluster made it
	Foreign        Kind = "foreign"         // of this account, with tags that are not ours, or none
	OtherAccount   Kind = "other-account"   // of another account, or hidden from the caller (see Sure)
	OtherRegion    Kind = "other-region"    // of this account, but in another region
	TagsUnreadable Kind = "tags-unreadable" // of this account, but the caller may not see whose
)

// State is what is known about the bucket.
type State struct {
	Kind   Kind              `json:"kind"`
	Name   string            `json:"name"`
	Region string            `json:"region,omitempty"` // where it is, "" if free or not told
	Tags   map[string]string `json:"tags,omitempty"`   // nil if they could not be read
	// Sure is false where OtherAccount may also be a bucket of this account that
	// the caller has no rights on: S3 answers both alike.
	Sure bool `json:"sure"`
	// Missing is the IAM action that would have told more, or "".
	Missing string `json:"missing,omitempty"`
}

// Exists reports whether a bucket has the name.
func (s State) Exists() bool { return s.Kind != Free }

// ours also asks for the cluster id: clusters may share an issuer.
func ours(tags map[string]string, f render.Facts) bool {
	return render.Ours(tags, f) && render.AnotherCluster(tags, f) == ""
}

// whose is the clause that says whose the bucket is.
func (s State) whose(f render.Facts) string {
	if s.Tags == nil {
		return "its tags cannot be read without " + s.Missing
	}
	return awserr.Whose(s.Tags, f)
}
