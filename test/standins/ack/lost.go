package ack

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// lost are the namespaces whose Buckets do not get their last status.
type lost struct {
	lock sync.Mutex
	in   map[string]bool
}

// LoseStatus lets the Buckets of a namespace stay at "Reconciling to sync
// additional fields" although S3 has everything, as the real controller does if
// the API server restarts at the wrong moment (1 of 4 tries with v1.10.0). No
// annotation wakes the controller then: it looks at the Bucket again when its
// spec changes, and writes the status only after a restart.
func (c *Controller) LoseStatus(namespace string) {
	c.lost.lock.Lock()
	defer c.lost.lock.Unlock()
	if c.lost.in == nil {
		c.lost.in = map[string]bool{}
	}
	c.lost.in[namespace] = true
}

func (l *lost) has(namespace string) bool {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.in[namespace]
}

// forget is what a restart does.
func (l *lost) forget() {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.in = nil
}

// restarted starts the controller again when another of its pods takes over; a
// first pod is no restart.
func (c *Controller) restarted(before types.UID) {
	if before == "" {
		return
	}
	c.lock.Lock()
	idle := c.idle
	c.lock.Unlock()
	c.decide(func() { c.idle = true })
	c.decide(func() { c.idle = idle })
}
