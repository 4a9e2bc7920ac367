package verify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Prefix is below what verify writes. Package bucket knows it as its OwnPrefix:
// uninstall takes nothing below it for data.
const Prefix = "ostoy-s3-verify/"

// tidyLimit is for tidying up after the run itself was ended.
const tidyLimit = 15 * time.Second

// newKey is a key that nobody has: 8 hex digits. That it is free is made sure of
// when it is written.
func newKey() (string, error) {
	number, err := random(4)
	return Prefix + number + ".txt", err
}

func random(bytes int) (string, error) {
	number := make([]byte, bytes)
	if _, err := rand.Read(number); err != nil {
		return "", err
	}
	return hex.EncodeToString(number), nil
}

// newContent is a line that no other run has written.
func newContent() (string, error) {
	number, err := random(16)
	return "written by ostoy-s3 verify " + number + "\n", err
}

func newBody(content string) io.Reader { return strings.NewReader(content) }

// readSome reads what is no longer than anything verify writes, and a bit.
func readSome(from io.Reader) ([]byte, error) {
	const limit = 1 << 16
	return io.ReadAll(io.LimitReader(from, limit))
}

// wrote remembers a key before it is written: an answer may be lost.
func (r *run) wrote(key, version string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.written {
		if r.written[i].key == key {
			r.written[i].version = version
			return
		}
	}
	r.written = append(r.written, object{key, version})
}

// marked remembers a delete marker, which stays beside the object in a bucket that keeps
// versions.
func (r *run) marked(key, version string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written = append(r.written, object{key, version})
}

// notOurs forgets a key that somebody else turned out to have.
func (r *run) notOurs(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.written {
		if r.written[i].key == key {
			r.written = append(r.written[:i], r.written[i+1:]...)
			return
		}
	}
}

// tidy removes what was written, with the caller's permissions: the role has none to delete. It
// does so also after the run was interrupted. It gives the keys that stay, and why.
func (r *run) tidy(ctx context.Context) (left []string, why string) {
	for _, o := range r.written {
		if !slices.Contains(left, o.key) {
			left = append(left, o.key)
		}
	}
	switch {
	case len(left) == 0:
		return nil, ""
	case r.options.Keep:
		return left, "--keep was given"
	case r.CallerAccount == "":
		return left, r.noCaller()
	case r.CallerAccount != r.Account:
		return left, "your AWS credentials are of account " + r.CallerAccount
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyLimit)
	defer cancel()
	left, err := r.ask.caller.remove(ctx, r.bucket, r.Account, r.written)
	left = slices.Compact(left)
	if err == nil || awserr.Missing(err) {
		return nil, ""
	}
	var told *problem.Error
	if errors.As(awserr.Translate(err, "s3:DeleteObject", r.arn()+"/"+Prefix+"*"), &told) {
		return left, told.Error()
	}
	return left, awserr.Redact(err.Error())
}

func (r *run) noCaller() string {
	if r.NoCaller == "" {
		return "you have no AWS credentials"
	}
	return "you have no AWS credentials: " + r.NoCaller
}

// arn is the bucket's.
func (r *run) arn() string { return "arn:" + r.role.Partition + ":s3:::" + r.bucket }
