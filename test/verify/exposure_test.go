package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	withEdge  = "route.tls=edge"
	edgeSpec  = `{"insecureEdgeTerminationPolicy":"Redirect","termination":"edge"}`
	different = 1 // exit code of diff
)

// TestF4EdgeRoute: with route.tls=edge install, status, open, diff, render and check agree
// on https; without it they agree on plain http. What somebody changed on the Route is
// found by check.
func TestF4EdgeRoute(t *testing.T) {
	t.Parallel()
	a := installed(t, "encrypted", "--set", withEdge)
	const host = "ostoy-route-encrypted.apps.lab.example.com"
	on := func(command string, args ...string) []string {
		return append([]string{command, "-n", a.namespace}, args...)
	}
	spec := func() string {
		return a.user.Kubectl(t, "get", "route", "ostoy-route", "-n", a.namespace, "-o", "jsonpath={.spec.tls}").WantCode(t, done).Stdout
	}
	if have := spec(); have != edgeSpec {
		t.Errorf("spec.tls is %s", have)
	}
	a.user.Run(t, on("install", "--set", withEdge, "--verify=false")...).WantCode(t, done).WantStdout(t, "https://"+host+"\n").
		WantTalk(t, "nothing to change", "access: everybody who can reach https://"+host+" lists, reads, writes and overwrites every object of encrypted-bucket, without a password", "asks for no password")
	a.user.Run(t, on("open", "--print")...).WantCode(t, done).WantStdout(t, "https://"+host+"\n")
	if shown := a.user.Run(t, on("status", "--set", withEdge)...).WantCode(t, done); !strings.Contains(shown.Stdout, "https://"+host) || !strings.Contains(shown.Stdout, "without a password") {
		t.Errorf("status does not say who reaches what at which address\n%s", shown)
	}
	a.user.Run(t, on("diff", "--set", withEdge)...).WantCode(t, done).WantStdout(t, "")
	a.user.Run(t, on("diff")...).WantCode(t, done).WantStdout(t, "")
	a.user.Run(t, on("diff", "--reset-values")...).WantCode(t, different)
	rendered := a.user.Run(t, on("render", "--set", withEdge)...).WantCode(t, done).Stdout
	a.user.WantNothingToApply(t, rendered)

	looked := func(code int, says string, args ...string) {
		t.Helper()
		result := a.user.Run(t, on("check", append([]string{"--only", "route-tls", "--fail-on", "warning"}, args...)...)...).WantCode(t, code)
		if !strings.Contains(result.Stdout, says) {
			t.Errorf("check does not say %q\n%s", says, result)
		}
	}
	patch := func(text string) {
		a.user.Kubectl(t, "patch", "route", "ostoy-route", "-n", a.namespace, "--type=merge", "-p", text).WantCode(t, done)
	}
	looked(done, "", "--set", withEdge)
	looked(done, "")
	looked(refused, "http is redirected to https", "--reset-values")
	patch(`{"spec":{"tls":{"insecureEdgeTerminationPolicy":"Allow"}}}`)
	looked(refused, "without encryption", "--set", withEdge)
	patch(`{"spec":{"tls":null}}`)
	looked(refused, "has no TLS")
	looked(done, "", "--reset-values")
	a.user.Run(t, on("install", "--set", withEdge, "--verify=false")...).WantCode(t, done).WantStdout(t, "https://"+host+"\n").WantTalk(t, "spec.tls")
	looked(done, "", "--set", withEdge)

	a.user.Run(t, on("install", "--verify=false", "--reset-values")...).WantCode(t, done).WantStdout(t, "http://"+host+"\n").
		WantTalk(t, "everybody who can reach http://"+host+" lists", "expose=none keeps it inside the cluster").WantNoTalk(t, "https://"+host)
	if have := spec(); have != "" {
		t.Errorf("spec.tls is still %s", have)
	}
	looked(done, "")
	patch(`{"spec":{"tls":` + edgeSpec + `}}`)
	looked(refused, "to remove TLS")
	a.user.Run(t, on("install", "--dry-run=client")...).WantCode(t, done).WantTalk(t, "https://"+host) // who reaches what is what is there
}

// TestF4OSToyBehindTLS: OSToy behind a router that ends TLS and redirects http: all that
// it sends a browser to is relative, so that the browser stays with https; and verify
// proves the app there, if the system trusts the router's certificate.
func TestF4OSToyBehindTLS(t *testing.T) {
	t.Parallel()
	a := installed(t, "behind-tls", "--set", withEdge)
	const host = "ostoy-route-behind-tls.apps.lab.example.com"
	edge := newEdge(t, host, a.frontend(t))
	client := &http.Client{Transport: edge.transport(t), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, one := range []struct {
		method, at, form, code, leads string
	}{
		{"GET", "http://" + host + "/ack", "", "302", "https://" + host + "/ack"}, // the router's
		{"GET", "https://" + host + "/", "", "302", "https://" + host + "/home"},
		{"GET", "https://" + host + "/home", "", "200", ""},
		{"POST", "https://" + host + "/s3upload", "filename=a.txt&content=x", "302", "https://" + host + "/ack"},
		{"GET", "https://" + host + "/ack", "", "200", ""},
		{"GET", "https://" + host + "/getFile?filename=a.txt", "", "200", ""},
	} {
		request, err := http.NewRequestWithContext(t.Context(), one.method, one.at, strings.NewReader(one.form))
		orders(t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := client.Do(request)
		orders(t, err)
		page, err := io.ReadAll(answer.Body)
		orders(t, err)
		orders(t, answer.Body.Close())
		leads := ""
		if to, err := answer.Location(); err == nil {
			leads = to.String()
		}
		if !strings.HasPrefix(answer.Status, one.code) || leads != one.leads || strings.Contains(string(page), "http://") {
			t.Errorf("%s %s: %s, to %q, want %q\n%s", one.method, one.at, answer.Status, leads, one.leads, page)
		}
	}
	plain := a.user
	a.user = plain.With("HTTP_PROXY="+edge.proxy, "HTTPS_PROXY="+edge.proxy, "SSL_CERT_FILE="+edge.authority)
	if got, _ := a.verify(t, done); got.Via != "route" || got.Detour != "" || got.URL != "https://"+host {
		t.Errorf("%+v", got)
	}
	a.user = plain.With("HTTP_PROXY="+edge.proxy, "HTTPS_PROXY="+edge.proxy)
	if got, _ := a.verify(t, done); got.Via != "port-forward" || !strings.Contains(got.Detour, "certificate") {
		t.Errorf("an unknown certificate was trusted: %+v", got)
	}
}

// edge plays OpenShift's router: a proxy that leads a browser to it.
type edge struct {
	proxy     string // URL
	authority string // file with the certificate that a browser has to trust
}

// newEdge ends TLS for the host in front of the app, and redirects http.
func newEdge(t *testing.T, host, app string) edge {
	t.Helper()
	to, err := url.Parse(app)
	orders(t, err)
	certificate, text := selfSigned(t, host)
	router := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	router.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	router.StartTLS()
	t.Cleanup(router.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusFound)
			return
		}
		tunnel(r.Context(), w, router.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	path := filepath.Join(t.TempDir(), "router.pem")
	orders(t, os.WriteFile(path, text, 0o600))
	return edge{proxy.URL, path}
}

// transport is a browser's that trusts the router and goes by the proxy.
func (e edge) transport(t *testing.T) *http.Transport {
	t.Helper()
	text, err := os.ReadFile(e.authority)
	orders(t, err)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(text)
	at, err := url.Parse(e.proxy)
	orders(t, err)
	transport := &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{RootCAs: trusted}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// tunnel joins the connection behind w with one to an address, until either ends.
func tunnel(ctx context.Context, w http.ResponseWriter, address string) {
	there, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	defer here.Close()
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		defer there.Close()
		_, _ = io.Copy(there, here) // ends with the connection
	}()
	_, _ = io.Copy(here, there)
}

func selfSigned(t *testing.T, host string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	orders(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	orders(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
