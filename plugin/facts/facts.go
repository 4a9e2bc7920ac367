// Package facts prints the facts that manifests and role depend on, each with its source.
package facts

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Run prints what was detected. Facts that are unknown are printed as such: finding out
// what is missing is what the command is for. A source that failed is an error of its own
// kind, after everything that is known is printed. A fact that is not valid is an error of
// the input.
func Run(ctx context.Context, s *session.Session, facts session.Facts, format session.Format) error {
	result, err := project.Detect(ctx, s, facts, detect.AskNeeded)
	if err != nil {
		return err
	}
	if err := result.Facts.Validate(); err != nil {
		return err
	}
	for _, note := range result.Notes {
		s.UI.Linef("note  %s", plain.InLine(note))
	}
	if err := write(s, result.Facts, format); err != nil {
		return err
	}
	var failure *problem.Error
	if errors.As(result.Failure(), &failure) {
		return result.Require()
	}
	return nil
}

func write(s *session.Session, f render.Facts, format session.Format) error {
	if format == session.FormatTable {
		return s.WriteTable(table(f))
	}
	// The values are validated; the rest may repeat what a cluster or AWS said.
	text, err := render.MarshalFacts(f.Told(plain.Line), string(format))
	if err != nil {
		return err
	}
	return s.WriteData(string(text))
}

func table(f render.Facts) [][]string {
	rows := [][]string{{"FACT", "VALUE", "SOURCE"}}
	for _, row := range f.Rows() {
		value, source := row.Value, row.Source
		switch {
		case value == "":
			value, source = "unknown", row.Why
		case row.Name == "apiVersions": // the one fact that is a list
			value = summary(f.APIVersions)
		}
		rows = append(rows, []string{row.Name, value, source})
	}
	return rows
}

// summary keeps the table readable: a cluster serves hundreds of kinds.
func summary(list render.ListFact) string {
	versions := 0
	for _, version := range list.Values {
		if strings.Count(version, "/") <= 1 {
			versions++
		}
	}
	return fmt.Sprintf("%d group versions (all with -o yaml)", versions)
}
