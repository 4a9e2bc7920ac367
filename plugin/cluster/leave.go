package cluster

import "net/http"

// leave ends a request when its context ends, whatever it is blocked in. A
// credential plugin of the kubeconfig knows no context: it may wait for a person
// at a browser, or hang.
type leave struct{ next http.RoundTripper }

// WrappedRoundTripper lets client-go look through (it unwraps transports).
func (l leave) WrappedRoundTripper() http.RoundTripper { return l.next }

// RoundTrip implements http.RoundTripper.
func (l leave) RoundTrip(req *http.Request) (*http.Response, error) {
	type answer struct {
		resp *http.Response
		err  error
	}
	answered := make(chan answer)
	go func() {
		resp, err := l.next.RoundTrip(req)
		select {
		case answered <- answer{resp, err}:
		case <-req.Context().Done(): // nobody waits any more
			if err == nil {
				_ = resp.Body.Close()
			}
		}
	}()
	select {
	case a := <-answered:
		return a.resp, a.err
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}
