package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Facts prints what was detected. Facts that are unknown are printed as such:
// finding out what is missing is what the command is for. A source that failed
// makes it fail all the same, after it has printed what it has.
func (a *App) Facts(ctx context.Context, request FactsRequest, format Format) error {
	result, err := a.detect(ctx, request, detect.AskNeeded)
	if err != nil {
		return err
	}
	if err := result.Facts.Validate(); err != nil {
		return err
	}
	for _, note := range result.Notes {
		a.UI.Linef("note  %s", inLine(note))
	}
	if err := a.printFacts(result.Facts, format); err != nil {
		return err
	}
	var failure *problem.Error
	if err := result.Require(); errors.As(err, &failure) {
		return err
	}
	return nil
}

func (a *App) printFacts(f render.Facts, format Format) error {
	if format == FormatTable {
		return a.factsTable(f)
	}
	// The values are validated; the rest may repeat what a cluster or AWS said.
	text, err := render.MarshalFacts(f.Told(plain.Line), string(format))
	if err != nil {
		return err
	}
	return a.WriteData(string(text))
}

func (a *App) factsTable(f render.Facts) error {
	table := [][]string{{"FACT", "VALUE", "SOURCE"}}
	for _, row := range f.Rows() {
		value, source := row.Value, row.Source
		if value == "" {
			value, source = "unknown", row.Why
		}
		if row.Name == apiVersions && row.Value != "" {
			value = apiSummary(f.APIVersions)
		}
		table = append(table, []string{row.Name, value, source})
	}
	return a.WriteTable(table)
}

// apiVersions is the name of the one fact that is a list.
const apiVersions = "apiVersions"

// apiSummary keeps the table readable: a cluster serves hundreds of kinds.
func apiSummary(list render.ListFact) string {
	versions := 0
	for _, version := range list.Values {
		if strings.Count(version, "/") <= 1 {
			versions++
		}
	}
	return fmt.Sprintf("%d group versions (all with -o yaml)", versions)
}

// detect joins the given facts and looks for the rest.
func (a *App) detect(ctx context.Context, request FactsRequest, policy detect.Policy) (detect.Result, error) {
	given, err := a.Given(ctx, request)
	if err != nil {
		return detect.Result{}, err
	}
	return detect.Detect(ctx, detect.Request{
		Given:   given,
		Connect: a.connector(ctx),
		AWS:     detect.AWSOptions{Profile: request.Profile, Region: given.Region.Value},
		Policy:  policy,
	})
}

// givenFacts are the facts by flag, and those of the facts file.
func (a *App) givenFacts(ctx context.Context, request FactsRequest) (render.Facts, error) {
	if request.File == "" {
		return request.Given, nil
	}
	data, err := a.Read(ctx, "facts file", request.File)
	if err != nil {
		return render.Facts{}, err
	}
	fromFile, err := render.ParseFacts(data, request.File)
	return render.Merge(request.Given, fromFile), err
}

// found is what was detected, with facts of which all that are needed are known and valid.
func (a *App) found(ctx context.Context, request FactsRequest) (detect.Result, error) {
	result, err := a.detect(ctx, request, detect.AskNeeded)
	if err != nil {
		return result, err
	}
	if err := result.Require(); err != nil {
		return result, err
	}
	return result, result.Facts.Validate()
}
