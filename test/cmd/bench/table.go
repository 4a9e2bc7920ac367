package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// row is one thing measured against what was promised of it.
type row struct {
	what     string
	measured string
	value    float64
	bound    float64
	unit     string // of the bound, as a reader wants it
}

func (r row) verdict() string {
	if r.value > r.bound {
		return "OVER"
	}
	return "ok"
}

func printTable(out io.Writer, rows []row) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\nWHAT\tMEASURED\tAT MOST\t")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%g %s\t%s\n", r.what, r.measured, r.bound, r.unit, r.verdict())
	}
	return table.Flush()
}
