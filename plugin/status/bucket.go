package status

import (
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// S3 is what S3 said, and what it refused.
type S3 struct {
	Bucket      bucket.State
	BucketErr   error
	Contents    bucket.Contents
	More        bool // than Contents
	ContentsErr error

	Public        bucket.PublicAccess
	PublicErr     error
	Policy        string
	PolicyErr     error
	Encryption    bucket.Encryption
	EncryptionErr error

	// Stale is the State of a Bucket whose status the controller never finished,
	// if S3 has all that it asks for.
	Stale *health.State
}

func bucketOf(f Found) Bucket {
	b := Bucket{Name: render.BucketName(f.Facts.Namespace.Value)}
	item := f.item("Bucket", "")
	if item == nil {
		return b
	}
	b.Part = f.part(item, f.bucketHealth)
	b.Region = f.S3.Bucket.Region
	if item.Live != nil && f.S3.BucketErr != nil { // then S3 is not the source, and the table says so
		b.Region = health.Text(item.Live.Object, "status", "ackResourceMetadata", "region")
	}
	b.Region = shown(b.Region, advice.Region)
	b.compare(f)
	b.Protection = protection(f, item.Live)
	if b.Mark == report.OK && b.Protection.weak() {
		b.Mark, b.Hint = report.Warning, f.check()
	}
	return b
}

func (f Found) volumeHealth(o *unstructured.Unstructured) health.State {
	return health.Volume(o, nil, health.Around{Install: f.install})
}

// bucketHealth judges a Bucket that nobody has just written.
func (f Found) bucketHealth(o *unstructured.Unstructured) health.State {
	return health.Bucket(o, nil, false, health.Around{Install: f.install})
}

// compare adds what S3 says. It can only make things worse.
func (b *Bucket) compare(f Found) {
	b.count(f)
	if stale := f.S3.Stale; stale != nil && health.Unfinished(f.BucketObject()) {
		b.Part = report.Of(*stale)
	}
	if f.S3.BucketErr != nil {
		return
	}
	if object := f.BucketObject(); object != nil && b.Mark == report.Wrong && health.InTwoRegions(object) && advice.Region(f.S3.Bucket.Region).Legal() {
		b.Hint = f.Again // which has the region of S3
	}
	b.S3 = f.S3.Bucket.Kind
	bad := report.Part{Mark: report.OK}
	switch {
	case b.S3 == bucket.Free && b.Mark == report.OK:
		bad = report.Part{Mark: report.Wrong, Text: "S3 has no bucket of that name, though the controller says that it is synced", Hint: f.Again}
	case b.S3 == bucket.OtherAccount && f.S3.Bucket.Sure:
		bad = report.Part{Mark: report.Wrong, Text: "the bucket belongs to another AWS account", Hint: "oc ostoy-s3 install --new-project"}
	case b.S3 == bucket.Foreign && b.Mark == report.OK:
		bad = report.Part{Mark: report.Warning, Text: "the tags of the bucket do not say that it is this project's", Hint: f.check()}
	}
	if bad.Mark != report.OK {
		b.Part = bad
	}
}

func (b *Bucket) count(f Found) {
	if err := f.S3.ContentsErr; err != nil {
		b.Uncounted = whyAWS(err, "s3:ListBucket")
		return
	}
	contents := f.S3.Contents
	b.Contents, b.More = &contents, f.S3.More
}

// whyAWS is a refusal of AWS in a few words.
func whyAWS(err error, action string) string {
	switch {
	case awserr.Denied(err):
		return "not allowed: needs " + action
	case errors.Is(err, bucket.ErrGone):
		return "there is no bucket"
	}
	var told *problem.Error
	if errors.As(err, &told) {
		err = told
	}
	return plain.Said(err.Error())
}

const (
	fromS3     = "S3"
	fromObject = "the Bucket object"
)

// protection takes S3's word where it gives one, else what the Bucket object asks
// for, which the controller makes so, if only every ten hours.
func protection(f Found, object *unstructured.Unstructured) Protection {
	var asked map[string]any // nil: nothing is said about an object that does not exist
	if object != nil {
		asked = object.Object
	}
	return Protection{
		PublicAccess:   publicAccess(f, asked),
		TLS:            tls(f, asked),
		Encryption:     encryption(f, asked),
		DeletionPolicy: deletionPolicy(object),
	}
}

func publicAccess(f Found, asked map[string]any) Setting {
	s, open := Setting{From: fromS3}, f.S3.Public.Open()
	if f.S3.PublicErr != nil && asked == nil {
		return Setting{}
	}
	if f.S3.PublicErr != nil {
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

func tls(f Found, asked map[string]any) Setting {
	s, policy := Setting{From: fromS3}, f.S3.Policy
	if f.S3.PolicyErr != nil && asked == nil {
		return Setting{}
	}
	if f.S3.PolicyErr != nil {
		s.From, policy = fromObject, health.Text(asked, "spec", "policy")
	}
	arn := "arn:" + f.Facts.Partition.Value + ":s3:::" + render.BucketName(f.Facts.Namespace.Value)
	s.Good, s.Text = iam.PlainHTTP(policy, arn) == "", "TLS only"
	if !s.Good {
		s.Text = "also without TLS"
	}
	return s
}

func encryption(f Found, asked map[string]any) Setting {
	s, algorithm := Setting{From: fromS3}, f.S3.Encryption.Algorithm
	if f.S3.EncryptionErr != nil && asked == nil {
		return Setting{}
	}
	if f.S3.EncryptionErr != nil {
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
	if object == nil {
		return Setting{}
	}
	s := Setting{From: fromObject, Text: "deleted with its object"}
	if ack.DeletionPolicy(object) != ack.Delete {
		s.Good, s.Text = true, "kept when the project goes"
	}
	return s
}

// weak reports whether the data is guarded less than install guards it.
func (p Protection) weak() bool {
	return slices.ContainsFunc(p.settings(), func(s Setting) bool { return !s.Good })
}

// settings are those of which something is known.
func (p Protection) settings() []Setting {
	all := []Setting{p.PublicAccess, p.TLS, p.Encryption, p.DeletionPolicy}
	return slices.DeleteFunc(all, func(s Setting) bool { return s.From == "" })
}
