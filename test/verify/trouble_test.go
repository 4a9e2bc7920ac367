package verify

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// TestInterrupted: what was written is removed also when the user gives up, and
// when time is up.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		namespace string
		args      []string
		code      int
	}{
		{"ctrl-c", nil, interrupted},
		{"time-up", []string{"--timeout=30s"}, failed},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			a := installed(t, c.namespace)
			written := make(chan struct{})
			var once sync.Once
			endpoint, err := a.bed.AWSProxy(t.Context(), func(_ int64, r *http.Request) error {
				// What was written is read back: that is held up.
				if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "ostoy-s3-verify/") {
					return nil
				}
				once.Do(func() { close(written) })
				<-r.Context().Done()
				return errors.New("nobody waits")
			})
			orders(t, err)
			running := run.Begin(t, a.user.With("AWS_ENDPOINT_URL="+endpoint), append([]string{"verify", "-n", c.namespace, "--level", "access"}, c.args...)...)
			select {
			case <-written:
			case <-t.Context().Done():
			}
			if c.code == interrupted {
				running.Send(t, os.Interrupt)
			}
			result := running.Ends(t).WantCode(t, c.code)
			result.WantStdout(t, "").WantNoTalk(t, "stays in bucket")
			a.wantEmpty(t)
		})
	}
}

// TestNoSecretIsTold: the tokens that verify asks for and the keys it is given
// are shown by nothing it prints, however talkative.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	a := installed(t, "hushed")
	var lock sync.Mutex
	secrets := map[string]bool{}
	keep := func(text string) {
		lock.Lock()
		defer lock.Unlock()
		if text != "" {
			secrets[text] = true
			secrets[base64.StdEncoding.EncodeToString([]byte(text))] = true
		}
	}
	endpoint, err := a.bed.AWSProxy(t.Context(), func(_ int64, r *http.Request) error {
		keep(r.Header.Get("X-Amz-Security-Token"))
		if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		form, err := url.ParseQuery(string(body))
		keep(form.Get("WebIdentityToken"))
		return err
	})
	orders(t, err)
	user := a.user.With("AWS_ENDPOINT_URL="+endpoint, "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMISECRETSECRETKEY", "AWS_SESSION_TOKEN=FwoGZXIvYXdzSESSIONSESSIONTOKEN")
	keep("wJalrXUtnFEMISECRETSECRETKEY")
	for _, args := range [][]string{
		{"verify", "-n", a.namespace, "-v=9"},
		{"verify", "-n", a.namespace, "-v=9", "-o", "json"},
		{"install", "-n", a.namespace, "-v=9"},
		{"open", "-n", a.namespace, "-v=9", "--print"},
	} {
		result := user.Run(t, args...).WantCode(t, done)
		if !strings.Contains(result.Stderr, "https://") {
			t.Errorf("the log is not talkative\n%s", result)
		}
		for secret := range secrets {
			if strings.Contains(result.Stdout+result.Stderr, secret) {
				t.Errorf("%v tells %s...", args, secret[:10])
			}
		}
		for _, shape := range []string{`eyJ[A-Za-z0-9_-]{10,}\.`, `AWS4-HMAC-SHA256 `, `(?i)bearer [^<]`, `ASIA[A-Z0-9]{12}`} {
			if found := regexp.MustCompile(shape).FindString(result.Stdout + result.Stderr); found != "" {
				t.Errorf("%v tells %q", args, found)
			}
		}
	}
	if len(secrets) < 6 {
		t.Errorf("only %d secrets were seen: the test looks at the wrong place", len(secrets))
	}
}

// TestPersistsNothing: verify leaves no trace in the cluster: what it creates are
// dry runs, and a way into a pod.
func TestPersistsNothing(t *testing.T) {
	t.Parallel()
	a := installedBy(t, run.ProjectAdmin(t, run.TheBed(t), "tracker"), "traceless")
	mark := a.bed.KubeMark()
	a.verify(t, done)
	a.user.Kubectl(t, "get", "--raw", "/version").WantCode(t, done)
	run.Eventually(t, "the audit log", func(context.Context) error {
		requests, err := a.bed.KubeRequests(mark, run.Name)
		if err != nil {
			return err
		}
		tokens := 0
		for _, r := range requests {
			if r.User.Username != "tracker" || r.Verb == "get" || r.Verb == "list" {
				continue
			}
			if r.Object != nil && r.Object.Subresource == "token" {
				tokens++
				if strings.Contains(r.URI, "dryRun=All") {
					continue
				}
			}
			if r.Object != nil && r.Object.Subresource == "portforward" {
				continue
			}
			t.Errorf("%s %s", r.Verb, r.URI)
		}
		if tokens < 3 {
			return errors.New("is not complete")
		}
		return nil
	})
}
