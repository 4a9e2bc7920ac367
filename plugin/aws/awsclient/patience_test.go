package awsclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/waiting"
)

// limits that no test reaches, but for those that it sets.
func limits(set func(*Limits)) Limits {
	l := Limits{Dial: time.Hour, First: time.Hour, Answer: time.Hour, Process: time.Hour}
	if set != nil {
		set(&l)
	}
	return l
}

// shortFirst are for servers that are silent.
func shortFirst(l *Limits) { l.First = 50 * time.Millisecond }

// noAWS leaves the SDK without any configuration but keys.
func noAWS(t *testing.T) (folder string) {
	folder = t.TempDir()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasSuffix(strings.ToLower(name), "_proxy") {
			t.Setenv(name, "")
		}
	}
	for name, value := range map[string]string{
		"HOME": folder, "AWS_CONFIG_FILE": filepath.Join(folder, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(folder, "credentials"),
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-2", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEKEY123456", "AWS_SECRET_ACCESS_KEY": "x",
	} {
		t.Setenv(name, value)
	}
	return folder
}

// server counts what it is asked.
func server(t *testing.T, answer http.HandlerFunc) (url string, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodConnect { // a client that still sends closes the connection
			_ = r.ParseForm()
		}
		answer(w, r)
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL, asked
}

func silent(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
}

// whoAmI loads a configuration and asks STS, as many times as it says.
func whoAmI(t *testing.T, ctx context.Context, times int, set func(*Limits)) error {
	t.Helper()
	config, err := Load(ctx, Options{Limits: limits(set)})
	if err != nil {
		return err
	}
	for range times {
		client := sts.NewFromConfig(config, func(o *sts.Options) { o.Retryer = unhurried{o.Retryer} })
		if _, err = client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
			return awserr.Translate(err, "sts:GetCallerIdentity", "")
		}
	}
	return nil
}

// wantProblem holds the parts of an error against what they must say.
func wantProblem(t *testing.T, err error, kind problem.Kind, parts ...string) {
	t.Helper()
	told, ok := errors.AsType[*problem.Error](err)
	if !ok {
		t.Fatalf("no problem: %v", err)
	}
	if told.Kind != kind {
		t.Errorf("kind %d, want %d", told.Kind, kind)
	}
	text := told.What + "\n" + told.Why + "\n" + told.Next
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
	for _, secret := range []string{"hunter2", "alice"} {
		if strings.Contains(text, secret) {
			t.Errorf("the user and password of the proxy are in\n%s", text)
		}
	}
}

// TestSilentAWS: a server that has never answered is asked once, and what is waited for is
// told.
func TestSilentAWS(t *testing.T) {
	noAWS(t)
	url, asked := server(t, silent)
	t.Setenv("AWS_ENDPOINT_URL", url)
	told := make(chan string, 1)
	ctx := waiting.With(t.Context(), waiting.Person{Patience: 1, Tell: func(what string) {
		select {
		case told <- what:
		default:
		}
	}})
	err := whoAmI(t, ctx, 1, shortFirst)
	host := strings.TrimPrefix(url, "http://")
	wantProblem(t, err, problem.Failed, "cannot reach AWS at "+host, "no answer within 50ms", "AWS_ENDPOINT_URL")
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	if what := <-told; !strings.Contains(what, "to answer sts:GetCallerIdentity") {
		t.Errorf("told %q", what)
	}
}

// TestSilentLater: a server that has answered gets more time and is asked again, but not
// without end.
func TestSilentLater(t *testing.T) {
	noAWS(t)
	var first atomic.Bool
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		if first.CompareAndSwap(false, true) {
			fmt.Fprint(w, identityAnswer)
			return
		}
		silent(w, r)
	})
	t.Setenv("AWS_ENDPOINT_URL", url)
	wantProblem(t, whoAmI(t, t.Context(), 2, func(l *Limits) { l.Answer = 100 * time.Millisecond }), problem.Failed, "cannot reach AWS", "no answer within 100ms")
	if want := int64(1 + fewFailures); asked.Load() != want {
		t.Errorf("asked %d times, want %d", asked.Load(), want)
	}
}

// TestStopsInItsMiddle: an answer that stops is not waited for without end.
func TestStopsInItsMiddle(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := &body{ReadCloser: io.NopCloser(readerFunc(func([]byte) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})), ctx: ctx, cancel: cancel, limit: time.Millisecond}
	if _, err := stopped.Read(make([]byte, 1)); !errors.As(err, new(*awserr.Silence)) {
		t.Errorf("%v", err)
	}
	if err := stopped.Close(); err != nil {
		t.Error(err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(into []byte) (int, error) { return f(into) }

// TestDeadline: the end of the caller's own time is told as that, with what was waited for.
func TestDeadline(t *testing.T) {
	noAWS(t)
	url, _ := server(t, silent)
	t.Setenv("AWS_ENDPOINT_URL", url)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	config, err := Load(t.Context(), Options{Limits: UsualLimits(true)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	awaited, ok := errors.AsType[*problem.Awaited](awserr.Translate(err, "sts:GetCallerIdentity", ""))
	if !ok || !strings.Contains(awaited.What, strings.TrimPrefix(url, "http://")+" to answer sts:GetCallerIdentity") || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// proxy answers CONNECT.
func proxy(t *testing.T, answer http.HandlerFunc) (address string, asked *atomic.Int64) {
	url, asked := server(t, answer)
	return strings.TrimPrefix(url, "http://"), asked
}

// answers hijacks the connection, as a proxy does after CONNECT, and writes to it.
func answers(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(text))
		_ = conn.Close()
	}
}

// closed is an address at which nothing listens.
func closed(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// TestProxies: whatever a proxy does, the error names it and its variable, never the user
// and password in it, and what does not pass is not repeated.
func TestProxies(t *testing.T) {
	refuse := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		variable string
		answer   http.HandlerFunc // nil: nothing listens
		asked    int64
		says     []string
	}{
		"nothing listens":       {"HTTPS_PROXY", nil, 0, []string{"connection refused", "unset HTTPS_PROXY", "NO_PROXY with sts.us-east-2.amazonaws.com in it"}},
		"in lower case":         {"https_proxy", nil, 0, []string{"(https_proxy)", "unset https_proxy"}},
		"407":                   {"HTTPS_PROXY", refuse(407), 1, []string{"does not accept the user and the password in HTTPS_PROXY (407 Proxy Authentication Required)"}},
		"403":                   {"HTTPS_PROXY", refuse(403), 1, []string{"refuses to connect to sts.us-east-2.amazonaws.com (403 Forbidden)", "ask whoever runs the proxy"}},
		"302":                   {"HTTPS_PROXY", refuse(302), 1, []string{"(302 Found)"}},
		"502":                   {"HTTPS_PROXY", refuse(502), fewFailures, []string{"cannot connect to sts.us-east-2.amazonaws.com (502 Bad Gateway)"}},
		"silent":                {"HTTPS_PROXY", silent, 1, []string{"no answer within 50ms"}},
		"no HTTP":               {"HTTPS_PROXY", answers("SSH-2.0-OpenSSH_9.9\r\n"), 0, []string{"malformed HTTP"}},
		"silent after CONNECT":  {"HTTPS_PROXY", tunnel(""), 1, []string{"no answer within 50ms"}},
		"no TLS behind CONNECT": {"HTTPS_PROXY", tunnel("not TLS at all, and long enough for a record"), 0, []string{"the connection broke"}},
	} {
		t.Run(name, func(t *testing.T) {
			noAWS(t)
			address, asked := closed(t), new(atomic.Int64)
			if c.answer != nil {
				address, asked = proxy(t, c.answer)
			}
			t.Setenv(c.variable, "http://alice:hunter2@"+address)
			var short func(*Limits)
			if strings.HasPrefix(name, "silent") {
				short = shortFirst
			}
			err := whoAmI(t, t.Context(), 1, short)
			through := "cannot reach AWS at sts.us-east-2.amazonaws.com for sts:GetCallerIdentity through the proxy http://" + address + " (" + c.variable + ")"
			wantProblem(t, err, problem.Failed, append(c.says, through)...)
			if c.asked > 0 && asked.Load() != c.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), c.asked)
			}
		})
	}
}

// tunnel says yes to CONNECT, writes a text for the server's, and keeps the connection.
func tunnel(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		_, _ = conn.Read(make([]byte, 1<<16)) // the beginning of TLS
		if text != "" {
			_, _ = conn.Write([]byte(text))
		}
		_, _ = conn.Read(make([]byte, 1)) // until the client has gone
	}
}

// TestProxyForms: also a proxy without a user, one for http, and what is no proxy.
func TestProxyForms(t *testing.T) {
	asks := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(407) }
	t.Run("no user", func(t *testing.T) {
		noAWS(t)
		address, _ := proxy(t, asks)
		t.Setenv("HTTPS_PROXY", address)
		wantProblem(t, whoAmI(t, t.Context(), 1, nil), problem.Failed, "requires a user and a password", "http://USER:PASSWORD@HOST:PORT")
	})
	t.Run("http", func(t *testing.T) {
		noAWS(t)
		address, asked := proxy(t, asks)
		t.Setenv("HTTP_PROXY", address)
		t.Setenv("AWS_ENDPOINT_URL", "http://aws.example.com")
		wantProblem(t, whoAmI(t, t.Context(), 1, nil), problem.Failed, "at aws.example.com for sts:GetCallerIdentity through the proxy http://"+address+" (HTTP_PROXY)", "407")
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
	t.Run("no TLS", func(t *testing.T) {
		noAWS(t)
		address, _ := proxy(t, answers("HTTP/1.1 400 Bad Request\r\n\r\n"))
		t.Setenv("HTTPS_PROXY", "https://"+address)
		wantProblem(t, whoAmI(t, t.Context(), 1, nil), problem.Failed, "the proxy does not use TLS", "http:// instead of https:// in HTTPS_PROXY")
	})
	t.Run("untrusted", func(t *testing.T) {
		noAWS(t)
		s := httptest.NewTLSServer(http.HandlerFunc(asks))
		t.Cleanup(s.Close)
		s.Config.ErrorLog = nil
		t.Setenv("HTTPS_PROXY", s.URL)
		wantProblem(t, whoAmI(t, t.Context(), 1, nil), problem.Failed, "(HTTPS_PROXY)", "certificate", "AWS_CA_BUNDLE")
	})
	for name, value := range map[string]string{"port": "http://alice:hunter2@proxy:port", "scheme": "ftp://proxy:21", "host": "http://", "blank": "http://alice:hunter2@a b"} {
		t.Run("no proxy: "+name, func(t *testing.T) {
			noAWS(t)
			t.Setenv("HTTPS_PROXY", value)
			wantProblem(t, whoAmI(t, t.Context(), 1, nil), problem.Usage, "invalid HTTPS_PROXY", "http://proxy.example.com:3128", "unset HTTPS_PROXY")
		})
	}
	t.Run("NO_PROXY", func(t *testing.T) {
		noAWS(t)
		url, asked := server(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, identityAnswer) })
		t.Setenv("HTTP_PROXY", "http://"+closed(t))
		t.Setenv("NO_PROXY", "127.0.0.1")
		t.Setenv("AWS_ENDPOINT_URL", url)
		if err := whoAmI(t, t.Context(), 2, nil); err != nil || asked.Load() != 2 {
			t.Errorf("asked %d times: %v", asked.Load(), err)
		}
	})
}

// TestUntrusted: a certificate that is not trusted is not asked for again.
func TestUntrusted(t *testing.T) {
	noAWS(t)
	var asked atomic.Int64
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		asked.Add(1)
		return nil, nil
	}}
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	wantProblem(t, whoAmI(t, t.Context(), 1, nil), problem.Failed, "cannot reach AWS", "certificate")
	if asked.Load() != 1 {
		t.Errorf("connected %d times", asked.Load())
	}
}

// TestNothingListens: a server that is not there is given up sooner than one that does badly.
func TestNothingListens(t *testing.T) {
	noAWS(t)
	address := closed(t)
	t.Setenv("AWS_ENDPOINT_URL", "http://"+address)
	wantProblem(t, whoAmI(t, t.Context(), 1, nil), problem.Failed, "cannot reach AWS at "+address, "nothing listens")
	p := newPatience(limits(nil), proxies{})
	dial := &net.OpError{Op: "dial", Err: errors.New("no route to host")}
	for attempt := 1; attempt <= fewFailures; attempt++ {
		if final := p.note("a", dial); final != (attempt == fewFailures) {
			t.Errorf("attempt %d: %t", attempt, final)
		}
	}
	p.note("a", nil)
	for range manyAttempts {
		if p.note("a", dial) || p.note("a", syscall.ECONNREFUSED) {
			t.Error("a server that has answered is given up")
		}
	}
	if !p.note("b", syscall.ECONNREFUSED) {
		t.Error("a server that is not there is asked again")
	}
}
