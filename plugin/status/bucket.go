package status

import (
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// AWS is what AWS said, and what it refused.
type AWS struct {
	Bucket      bucket.State
	BucketErr   error
	Contents    bucket.Contents
	More        bool
	ContentsErr error

	Public        bucket.PublicAccess
	PublicErr     error
	Policy        string
	PolicyErr     error
	Encryption    bucket.Encryption
	EncryptionErr error

	Role    *iam.Actual
	RoleErr error
	Plan    *iam.Plan
	PlanErr error // install would refuse to touch the role
	// Usual is the role that install uses without flags; nil if it was not asked about.
	Usual *iam.Actual

	// Stale is the State of a Bucket whose status the controller never finished,
	// if S3 has all that it asks for.
	Stale *health.State
}

// BucketObject is the Bucket resource as the cluster has it; nil without one.
func (f Found) BucketObject() *unstructured.Unstructured {
	if item := f.item("Bucket", ""); item != nil {
		return item.Live
	}
	return nil
}

func (f Found) bucket() Bucket {
	b := Bucket{Name: render.BucketName(f.Facts.Namespace.Value)}
	item := f.item("Bucket", "")
	if item == nil {
		return b
	}
	b.Part = f.part(item, bucketHealth)
	b.Region = f.AWS.Bucket.Region
	if item.Live != nil && f.AWS.BucketErr != nil { // then S3 is not the source, and the table says so
		b.Region = health.Text(item.Live.Object, "status", "ackResourceMetadata", "region")
	}
	b.Region = shown(b.Region, advice.Region)
	b.inS3(f)
	b.Protection = f.protection(item.Live)
	if b.Mark == OK && b.Protection.weak() {
		b.Mark, b.Hint = Warning, f.check()
	}
	return b
}

// bucketHealth judges a Bucket that nobody has just written.
func bucketHealth(o *unstructured.Unstructured) health.State { return health.Bucket(o, nil, false) }

// inS3 adds what S3 says. It can only make things worse.
func (b *Bucket) inS3(f Found) {
	b.count(f)
	if stale := f.AWS.Stale; stale != nil && health.Unfinished(f.BucketObject()) {
		b.Part = Part{MarkOf(*stale), plain.Line(stale.Text), stale.Hint}
	}
	if f.AWS.BucketErr != nil {
		return
	}
	if object := f.BucketObject(); object != nil && b.Mark == Wrong && health.InTwoRegions(object) && advice.Region(f.AWS.Bucket.Region).Legal() {
		b.Hint = f.Again // which has the region of S3
	}
	b.S3 = f.AWS.Bucket.Kind
	bad := Part{Mark: OK}
	switch {
	case b.S3 == bucket.Free && b.Mark == OK:
		bad = Part{Wrong, "S3 has no bucket of that name, though the controller says that it is synced", f.Again}
	case b.S3 == bucket.OtherAccount && f.AWS.Bucket.Sure:
		bad = Part{Wrong, "the bucket belongs to another AWS account", "oc ostoy-s3 install --new-project"}
	case b.S3 == bucket.Foreign && b.Mark == OK:
		bad = Part{Warning, "the tags of the bucket do not say that it is this project's", f.check()}
	}
	if bad.Mark != OK {
		b.Part = bad
	}
}

func (b *Bucket) count(f Found) {
	if err := f.AWS.ContentsErr; err != nil {
		b.Uncounted = whyAWS(err, "s3:ListBucket")
		return
	}
	contents := f.AWS.Contents
	b.Contents, b.More = &contents, f.AWS.More
}

// whyAWS is a refusal of AWS in a few words.
func whyAWS(err error, action string) string {
	switch {
	case awserr.Denied(err):
		return "not allowed: needs " + action
	case errors.Is(err, bucket.ErrGone):
		return "there is no bucket"
	}
	var parts interface {
		Parts() (what, why, next string)
	}
	if errors.As(err, &parts) {
		what, why, _ := parts.Parts()
		if why != "" {
			what += ": " + why
		}
		return health.OneLine(what)
	}
	return health.OneLine(err.Error())
}

const (
	fromS3     = "S3"
	fromObject = "the Bucket object"
)

// protection takes S3's word where it gives one, else what the Bucket object asks
// for, which the controller makes so, if only every ten hours.
func (f Found) protection(object *unstructured.Unstructured) Protection {
	asked := map[string]any{}
	if object != nil {
		asked = object.Object
	}
	return Protection{
		PublicAccess:   f.publicAccess(asked),
		TLS:            f.tls(asked),
		Encryption:     f.encryption(asked),
		DeletionPolicy: deletionPolicy(object),
	}
}

func (f Found) publicAccess(asked map[string]any) Setting {
	s, open := Setting{From: fromS3}, f.AWS.Public.Open()
	if f.AWS.PublicErr != nil {
		s.From, open = fromObject, nil
		for _, field := range (bucket.PublicAccess{}).Open() {
			if on, _, _ := unstructured.NestedBool(asked, "spec", "publicAccessBlock", field); !on {
				open = append(open, field)
			}
		}
	}
	s.Good, s.Text = len(open) == 0, "public access blocked"
	if !s.Good {
		s.Text = "public access NOT blocked (" + strings.Join(open, ", ") + ")"
	}
	return s
}

func (f Found) tls(asked map[string]any) Setting {
	s, policy := Setting{From: fromS3}, f.AWS.Policy
	if f.AWS.PolicyErr != nil {
		s.From, policy = fromObject, health.Text(asked, "spec", "policy")
	}
	arn := "arn:" + f.Facts.Partition.Value + ":s3:::" + render.BucketName(f.Facts.Namespace.Value)
	s.Good, s.Text = iam.PlainHTTP(policy, arn) == "", "TLS only"
	if !s.Good {
		s.Text = "also without TLS"
	}
	return s
}

func (f Found) encryption(asked map[string]any) Setting {
	s, algorithm := Setting{From: fromS3}, f.AWS.Encryption.Algorithm
	if f.AWS.EncryptionErr != nil {
		s.From, algorithm = fromObject, ""
		for _, rule := range health.Maps(asked, "spec", "encryption", "rules") {
			algorithm = health.Text(rule, "applyServerSideEncryptionByDefault", "sseAlgorithm")
		}
	}
	s.Good, s.Text = algorithm != "", "encrypted ("+plain.Line(algorithm)+")"
	if !s.Good {
		s.Text = "NOT encrypted"
	}
	return s
}

func deletionPolicy(object *unstructured.Unstructured) Setting {
	s := Setting{From: fromObject, Text: "deleted with its object"}
	if object != nil && ack.DeletionPolicy(object) != ack.Delete {
		s.Good, s.Text = true, "kept when the project goes"
	}
	return s
}

// weak reports whether the data is guarded less than install guards it.
func (p Protection) weak() bool {
	return !p.PublicAccess.Good || !p.TLS.Good || !p.Encryption.Good || !p.DeletionPolicy.Good
}
