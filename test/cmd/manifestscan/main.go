// Command manifestscan runs trivy's Kubernetes checks over what `oc ostoy-s3 render`
// and `controller render` print, in every variant, and fails if one of the
// severities HIGH or CRITICAL finds something (exit code 1). Where trivy cannot be
// downloaded, it prints that nothing was scanned and succeeds, so that `make lint`
// works without a network.
//
//	manifestscan -plugin PATH -schema FILE -module FOLDER -tools FOLDER
//
// Nothing is asked of a cluster or of AWS: render is given all facts.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() { os.Exit(command()) }

func command() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	plugin := flag.String("plugin", "", "the plugin's executable")
	schema := flag.String("schema", "", "values.schema.json of the chart")
	module := flag.String("module", "", "folder of the Go module of the scanner")
	tools := flag.String("tools", "", "folder that the scanner is built into")
	limit := flag.Duration("limit", 20*time.Minute, "how long each step may take: the download, the build, the scan")
	flag.Parse()
	if *plugin == "" || *schema == "" || *module == "" || *tools == "" || flag.NArg() != 0 {
		flag.Usage()
		return 2
	}
	err := lint(ctx, os.Stderr, source{module: *module, into: *tools, limit: *limit},
		scan{plugin: *plugin, schema: *schema, limit: *limit})
	if err != nil {
		fmt.Fprintln(os.Stderr, "trivy:", err)
		return 1
	}
	return 0
}

// lint builds the scanner and runs it, unless it cannot be downloaded.
func lint(ctx context.Context, out io.Writer, from source, s scan) error {
	missing, err := from.download(ctx)
	if err != nil {
		return err
	}
	if missing != "" {
		_, err := fmt.Fprintf(out, "trivy: its modules cannot be downloaded, nothing was scanned (%s)\n", missing)
		return err
	}
	if s.scanner, err = from.build(ctx); err != nil {
		return err
	}
	return s.all(ctx, out)
}
