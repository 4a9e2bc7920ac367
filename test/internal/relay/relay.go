package relay

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// Play decides what becomes of one request. It is called by many requests at
// the same time.
type Play func(e *Exchange)

// Relay is open until its context ends.
type Relay struct {
	play       Play
	kubeconfig string
	endpoint   string

	lock   sync.Mutex
	names  []string
	writes int
}

// Open puts a server before each of the two; kubeconfig is the user's.
func Open(ctx context.Context, bed *testbed.Bed, kubeconfig string, play Play) (*Relay, error) {
	r := &Relay{play: play}
	var kubeErr, awsErr error
	r.kubeconfig, kubeErr = bed.KubeBehind(ctx, kubeconfig, r.between(false))
	r.endpoint, awsErr = bed.AWSBehind(ctx, r.between(true))
	return r, errors.Join(kubeErr, awsErr)
}

// User is the same user, who reaches both servers through the relay.
func (r *Relay) User(user run.User) run.User {
	user.Kubeconfig = r.kubeconfig
	return user.With("AWS_ENDPOINT_URL=" + r.endpoint)
}

// Requests are the names of all requests so far, in the order they came.
func (r *Relay) Requests() []string {
	r.lock.Lock()
	defer r.lock.Unlock()
	return append([]string{}, r.names...)
}

// Writes is how many of them were to change something.
func (r *Relay) Writes() int {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.writes
}

// between makes an Exchange of each request.
func (r *Relay) between(aws bool) testbed.Between {
	return func(passOn http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			e := &Exchange{AWS: aws, HTTP: request, w: w, passOn: passOn}
			e.identify()
			r.lock.Lock()
			r.names = append(r.names, e.Name)
			e.N = len(r.names)
			if e.Writes() {
				r.writes++
			}
			r.lock.Unlock()
			r.play(e)
		})
	}
}
