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

// Request is what is to be found out.
type Request struct {
	Facts           session.Facts
	Output          session.Format
	AllowIncomplete bool // it is no error that facts are missing
}

// Run prints what was detected: the facts that are known, and of the others why they are
// not. If manifests cannot be rendered from them, it is an error, after they are printed:
// what is missing, with the flags that give it; or that a source failed, or that AWS cannot
// verify the tokens of the cluster.
func Run(ctx context.Context, s *session.Session, r Request) error {
	found, err := project.Detect(ctx, s, r.Facts, detect.AskNeeded)
	var unfit *problem.Error // the cluster's issuer
	if err != nil && !(errors.As(err, &unfit) && unfit.Kind == problem.Refused) {
		return err
	}
	found.Facts = found.Facts.Usable()
	for _, note := range found.Notes {
		s.UI.Linef("note  %s", plain.InLine(note))
	}
	if err := write(s, found.Facts, r.Output); err != nil {
		return err
	}
	problems := incomplete(found, unfit)
	switch {
	case len(problems) == 0:
		if failure := (*problem.Error)(nil); errors.As(found.Failure(), &failure) {
			s.UI.Warn(plain.InLine(failure.Error()), failure.Next)
		}
		return nil
	case r.AllowIncomplete:
		for _, one := range problems {
			s.UI.Warn(plain.InLine(one.What+": "+strings.ReplaceAll(one.Why, "\n", "; ")), one.Next)
		}
		return nil
	}
	if len(problems) == 1 {
		return problems[0]
	}
	return &problem.Several{Problems: problems, Note: "the facts that are known were printed"}
}

// incomplete are the reasons why manifests cannot be rendered from the facts.
func incomplete(found detect.Result, unfit *problem.Error) []*problem.Error {
	var problems []*problem.Error
	if unfit != nil {
		problems = append(problems, unfit)
	}
	missing := found.Facts.Missing()
	err := found.Facts.Validate()
	if len(missing) > 1 || len(missing) == 1 && unfit == nil {
		err = found.Require()
	}
	if flaw := (*problem.Error)(nil); errors.As(err, &flaw) {
		problems = append(problems, flaw)
	}
	return problems
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
