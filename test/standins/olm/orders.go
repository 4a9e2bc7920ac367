package olm

import (
	"slices"
	"time"
)

// orders are what tests want of OLM. The zero value, but for the versions, is
// OLM as it is.
type orders struct {
	versions        []string
	empty           bool
	first, together string
	failReason      string
	failMessage     string
	old             bool
	overtake        int
	after           afterUpgrade
	unmet           time.Duration
}

// afterUpgrade is whether OLM looks at a Subscription after it has upgraded it.
type afterUpgrade int

const (
	byChance afterUpgrade = iota
	stop
	look
)

// Release puts a newer version into the channel, at its head. Subscriptions at
// an older one get a plan for the one after it.
func (o *OLM) Release(version string) {
	o.order(func(s *orders) { s.versions = append(slices.Clone(s.versions), version) })
}

// EmptyCatalog takes the package out of the catalog.
func (o *OLM) EmptyCatalog() { o.order(func(s *orders) { s.empty = true }) }

// FirstPlan lets a new Subscription get a plan for another CSV first, for half a
// second; that plan stays, unapproved.
func (o *OLM) FirstPlan(csv string) { o.order(func(s *orders) { s.first = csv }) }

// TogetherWith lets new plans install another operator's CSV, too.
func (o *OLM) TogetherWith(csv string) { o.order(func(s *orders) { s.together = csv }) }

// Overtake lets somebody approve the next n plans as soon as they exist, before
// OLM has written their status.
func (o *OLM) Overtake(n int) { o.order(func(s *orders) { s.overtake = n }) }

// StopLooking lets OLM stop looking at a Subscription after each upgrade, until it
// changes (true), or never (false). Else it does so now and then.
func (o *OLM) StopLooking(stops bool) {
	o.order(func(s *orders) {
		s.after = look
		if stops {
			s.after = stop
		}
	})
}

// Unmet lets the requirements of a version not be met for that much longer.
func (o *OLM) Unmet(longer time.Duration) { o.order(func(s *orders) { s.unmet = longer }) }

// FailCSV lets CSVs that are being installed end as Failed. With no reason they
// get on again, as after OLM's own retry.
func (o *OLM) FailCSV(reason, message string) {
	o.order(func(s *orders) { s.failReason, s.failMessage = reason, message })
}

// KeepAnnotations makes it OLM before 0.33 (false), which drops the annotations of
// the operator's service account as it drops its labels, or one that does not (true).
func (o *OLM) KeepAnnotations(keep bool) { o.order(func(s *orders) { s.old = !keep }) }

// Reset takes all orders and releases back. What was installed stays.
func (o *OLM) Reset() { o.order(func(s *orders) { *s = orders{versions: o.config.Versions} }) }

func (o *OLM) current() orders {
	o.lock.Lock()
	defer o.lock.Unlock()
	return o.orders
}

// order changes the orders and waits for a pass that knows of it.
func (o *OLM) order(change func(*orders)) {
	o.lock.Lock()
	change(&o.orders)
	o.lock.Unlock()
	answer := make(chan struct{})
	select {
	case o.asked <- answer:
	case <-o.done:
		return
	}
	select {
	case <-answer:
	case <-o.done:
	}
}
