package chaos_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
)

// patient: a run that is kept waiting by the API server does what it was asked,
// says nothing of it by itself, and with -v says what it waits for.
func (c *chaos) patient(t *testing.T, p place) {
	justANamespace(t, p)
	const told = "trying again in 3s"
	for _, talks := range []bool{true, false} {
		var asked atomic.Bool
		_, user := p.through(t, func(e *relay.Exchange) {
			if !strings.HasSuffix(e.HTTP.URL.Path, "/configmaps/ostoy-s3") || asked.Swap(true) {
				e.Pass()
				return
			}
			e.Answer(relay.Refusal{Status: 429, Reason: "TooManyRequests", Message: "too many requests", RetryAfter: 3})
		})
		if talks {
			user.Run(t, append(install(p.namespace), "-v=1")...).WantCode(t, 0).WantTalk(t, told, "/configmaps/ostoy-s3: HTTP 429")
			continue
		}
		user.Run(t, install(p.namespace)...).WantCode(t, 0).WantTalk(t, "nothing to change").WantNoTalk(t, told)
	}
}
