package chaos_test

import (
	"fmt"
	"io"
	"sync"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
)

// report is what was played, for the table at the end.
type report struct {
	lock   sync.Mutex
	order  []string
	rows   map[string]*row
	kinds  map[relay.Kind]int
	faulty row
	slow   row
	left   int
}

// row is about one scenario.
type row struct {
	requests, kills, ended, interrupts, runs, faults int
}

func newReport() *report {
	return &report{rows: map[string]*row{}, kinds: map[relay.Kind]int{}}
}

func (r *report) at(title string) *row {
	if r.rows[title] == nil {
		r.rows[title] = &row{}
		r.order = append(r.order, title)
	}
	return r.rows[title]
}

func (r *report) undisturbed(title string, requests int) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.at(title).requests = requests
	r.at(title).runs++
}

// kill counts a kill; cutOff is false where the run was over before.
func (r *report) kill(title string, cutOff bool) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.at(title).runs += 2
	if cutOff {
		r.at(title).kills++
	} else {
		r.at(title).ended++
	}
}

func (r *report) interrupt(title string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.at(title).runs += 2
	r.at(title).interrupts++
}

func (r *report) faults(faults *relay.Faults) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.faulty.runs += 3
	for kind, n := range faults.Count() {
		r.kinds[kind] += n
		r.faulty.faults += n
	}
}

func (r *report) spread(unknown int) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.slow.runs += 3
	r.slow.faults += unknown
}

// print prints the table.
func (r *report) print(w io.Writer, seed uint64, failed bool) {
	r.lock.Lock()
	defer r.lock.Unlock()
	line := func(title string, of row) {
		fmt.Fprintf(w, "%-32s %9d %7d %12d %11d %7d %6d\n", title, of.requests, of.kills, of.ended, of.interrupts, of.faults, of.runs)
	}
	fmt.Fprintf(w, "\n%-32s %9s %7s %12s %11s %7s %6s\n", "scenario", "requests", "killed", "ended before", "interrupted", "faults", "runs")
	var sum row
	rows := append([]string{}, r.order...)
	for _, title := range rows {
		line(title, *r.rows[title])
		sum.add(*r.rows[title])
	}
	line("10 % faults, install twice, gone", r.faulty)
	line("IAM slow, install twice, gone", r.slow)
	sum.add(r.faulty)
	sum.add(r.slow)
	sum.requests = 0
	line("all", sum)
	fmt.Fprintln(w, "\nfaults by kind")
	for _, kind := range relay.Kinds() {
		fmt.Fprintf(w, "  %-18s %6d\n", kind, r.kinds[kind])
	}
	fmt.Fprintf(w, "\nleftovers %d, seed %d, all well: %t\n", r.left, seed, !failed)
}

func (r *row) add(o row) {
	r.requests += o.requests
	r.kills += o.kills
	r.ended += o.ended
	r.interrupts += o.interrupts
	r.runs += o.runs
	r.faults += o.faults
}
