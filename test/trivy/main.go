// Command trivy runs the Kubernetes checks of trivy over the files of a folder. It
// uses the scanner behind `trivy config` with the checks that are compiled into
// this version of trivy, and nothing else of trivy: no download of newer checks, no
// images, no cluster. It prints what it found as JSON; which findings are accepted,
// its caller decides.
//
//	trivy FOLDER
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aquasecurity/trivy/pkg/iac/rego"
	"github.com/aquasecurity/trivy/pkg/iac/scanners/kubernetes"
)

// report is what is printed.
type report struct {
	// Checked is how many checks were evaluated, by file: trivy only logs what
	// it cannot read.
	Checked map[string]int `json:"checked"`
	Failed  []failure      `json:"failed"`
}

type failure struct {
	Check    string `json:"check"`
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Message  string `json:"message"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: trivy FOLDER")
		os.Exit(2)
	}
	found, err := scan(context.Background(), os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func scan(ctx context.Context, folder string) (report, error) {
	scanner := kubernetes.NewScanner(
		rego.WithEmbeddedPolicies(true), rego.WithEmbeddedLibraries(true),
		rego.WithMaxAllowedErrors(0), // a check that does not compile is an error, not one check less
	)
	results, err := scanner.ScanFS(ctx, os.DirFS(folder), ".")
	if err != nil {
		return report{}, err
	}
	found := report{Checked: map[string]int{}, Failed: []failure{}}
	for _, r := range results {
		found.Checked[r.Metadata().Range().GetFilename()]++
	}
	for _, r := range results.GetFailed() {
		where := r.Metadata().Range()
		found.Failed = append(found.Failed, failure{
			Check:    r.Rule().ID,
			Severity: string(r.Severity()),
			File:     where.GetFilename(),
			Line:     where.GetStartLine(),
			Message:  r.Description(),
		})
	}
	return found, nil
}
