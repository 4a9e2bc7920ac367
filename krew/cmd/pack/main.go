// Command pack turns built executables into a release: archives, checksums and
// the krew manifest. `make dist` builds the executables and calls it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/krew/pack"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var r pack.Release
	var epoch int64
	flags := flag.NewFlagSet("pack", flag.ExitOnError)
	flags.StringVar(&r.Version, "version", "", "version of the release, vX.Y.Z")
	flags.Int64Var(&epoch, "time", 0, "time of every file, in seconds since 1970 (the commit's)")
	flags.StringVar(&r.Binaries, "binaries", "", "directory with <os>_<arch>/kubectl-ostoy_s3[.exe]")
	flags.StringVar(&r.Docs, "docs", ".", "directory with LICENSE and README.md")
	flags.StringVar(&r.Out, "out", "dist", "directory to write to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r.Time = time.Unix(epoch, 0)
	names, err := r.Write()
	if err != nil {
		return err
	}
	for _, name := range names {
		fmt.Println(filepath.Join(r.Out, name))
	}
	return nil
}
