package verify

import (
	"context"
	"encoding/base64"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// says is an error as AWS answers it.
func says(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}

func errDenied() error { return says("AccessDenied", "Not authorized") }

// fake is cluster, AWS and caller in one: each call answers with the next of its
// errors, and with the last for ever.
type fake struct {
	mu        sync.Mutex
	answers   map[string][]error
	asked     map[string]int
	objects   map[string]string
	elsewhere []string
	other     string // bucket
	removed   []object
	found     string // in objects that nobody wrote here
	marker    string // of the object that is deleted
}

func newFake(answers map[string][]error) *fake {
	if answers == nil {
		answers = map[string][]error{}
	}
	return &fake{answers: answers, asked: map[string]int{}, objects: map[string]string{}}
}

func (f *fake) answer(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.asked[call]
	f.asked[call]++
	list := f.answers[call]
	if len(list) == 0 {
		return nil
	}
	return list[min(n, len(list)-1)]
}

func (f *fake) token(_ context.Context, namespace, account, audience string) (secret, error) {
	whose := namespace + "/" + account + "/" + audience
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://issuer.example.com","sub":"` + whose + `"}`))
	return secret("head." + payload + ".signature"), f.answer("token " + whose)
}

func (f *fake) others(context.Context, string, string) ([]string, error) {
	return f.elsewhere, f.answer("others")
}

func (f *fake) assume(_ context.Context, _ string, token secret) (asRole, error) {
	return f, f.answer("assume " + token.read().Subject)
}

func (f *fake) whoAmI(context.Context) (string, error) {
	return "arn:aws:sts::123456789012:assumed-role/the-role/ostoy-s3-verify", f.answer("whoami")
}

func (f *fake) headBucket(context.Context) error { return f.answer("head-bucket") }

func (f *fake) listObjects(_ context.Context, bucket string) error { return f.answer("list " + bucket) }

func (f *fake) put(_ context.Context, key, content string) (string, error) {
	err := f.answer("put")
	if err == nil {
		f.objects[key] = content
	}
	return "", err
}

func (f *fake) get(_ context.Context, key string) ([]byte, string, error) {
	content, written := f.objects[key]
	if !written {
		content = f.found
	}
	return []byte(content), "v1", f.answer("get")
}

func (f *fake) headObject(context.Context, string) error { return f.answer("head-object") }

func (f *fake) deleteObject(context.Context, string) (string, error) {
	return f.marker, f.answer("delete")
}

func (f *fake) listBuckets(context.Context) error { return f.answer("list-buckets") }

func (f *fake) getRole(context.Context, string) error { return f.answer("get-role") }

func (f *fake) otherBucket(context.Context, string, string) (string, error) {
	return f.other, f.answer("other-bucket")
}

func (f *fake) remove(ctx context.Context, _, _ string, objects []object) ([]string, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f.removed = append(f.removed, objects...)
	err := f.answer("remove")
	if err == nil {
		return nil, nil
	}
	return []string{objects[0].key}, err
}

// started is a run on the fake, with a minute of patience, that has come as far as
// being the role.
func started(t *testing.T, f *fake) (*run, *[]Event) {
	t.Helper()
	arn, err := render.ParseARN("arn:aws:iam::123456789012:role/ostoy-s3/the-role")
	if err != nil {
		t.Fatal(err)
	}
	events := &[]Event{}
	r := &run{
		Target: Target{
			Namespace: "demo", Audience: "sts.amazonaws.com", Region: "us-east-2", CallerAccount: "123456789012",
			Account: "123456789012", Partition: "aws",
			Role: func(context.Context, string, render.ARN) (render.ARN, error) { return arn, nil },
		},
		pods: Pods{Role: arn.String()},
		role: arn, bucket: "demo-bucket", region: "us-east-2",
		pace: &pace{began: time.Now(), patience: time.Minute, observer: func(e Event) { *events = append(*events, e) }},
		ask:  servers{issuer: f, cloud: f, caller: f}, credentials: f,
		claims: claims{Issuer: "https://issuer.example.com", Subject: "system:serviceaccount:demo:ostoy-sa"},
	}
	return r, events
}

var errNetwork = errors.New("connection reset")
