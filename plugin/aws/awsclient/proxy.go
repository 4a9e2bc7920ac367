package awsclient

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
)

// proxies are those of the environment, and the variables that they are in. The proxy is
// chosen as net/http chooses it.
type proxies struct {
	choose    func(*url.URL) (*url.URL, error)
	variables map[string]string // by the scheme of what is asked
	flaws     map[string]error
}

func proxiesOf(getenv func(string) string) proxies {
	p := proxies{variables: map[string]string{}, flaws: map[string]error{}}
	value := func(scheme string, names ...string) string {
		for _, name := range names {
			if found := getenv(name); found != "" {
				if p.variables[scheme] = name; !isProxy(found) {
					p.flaws[scheme] = &awserr.ProxyFlaw{Variable: name}
				}
				return found
			}
		}
		return ""
	}
	config := httpproxy.Config{
		HTTPProxy:  value("http", "HTTP_PROXY", "http_proxy"),
		HTTPSProxy: value("https", "HTTPS_PROXY", "https_proxy"),
		NoProxy:    cmp.Or(getenv("NO_PROXY"), getenv("no_proxy")),
		CGI:        getenv("REQUEST_METHOD") != "",
	}
	p.choose = config.ProxyFunc()
	return p
}

// isProxy reports whether net/http can use a value: it ignores what it cannot parse, and
// takes a scheme that it does not know for a host.
func isProxy(value string) bool {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	parsed, err := url.Parse(value)
	return err == nil && parsed.Hostname() != "" && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, parsed.Scheme)
}

// forRequest is what http.Transport asks.
func (p proxies) forRequest(request *http.Request) (*url.URL, error) {
	if flaw := p.flaws[request.URL.Scheme]; flaw != nil {
		return nil, flaw
	}
	return p.choose(request.URL)
}

// proxyOf is the proxy by which a URL is asked.
func (p proxies) proxyOf(target *url.URL) awserr.Proxy {
	proxy, err := p.choose(target)
	if err != nil || proxy == nil {
		return awserr.Proxy{}
	}
	return awserr.Proxy{
		URL:      proxy.Scheme + "://" + proxy.Host,
		Variable: p.variables[target.Scheme],
		Named:    proxy.User != nil,
	}
}

// refused gives the answer of a proxy that does not connect; net/http gives its text only.
func refused(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &awserr.ProxyRefusal{Code: answer.StatusCode, Status: answer.Status}
}
