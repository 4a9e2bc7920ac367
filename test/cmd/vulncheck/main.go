// Command vulncheck runs govulncheck over modules for `make lint`, and tells
// three things apart: code that calls something known to be vulnerable (exit
// code 1), nothing of the kind (0), and a vulnerability database that cannot be
// reached (0 as well, with a line that says that nothing was looked at: `make
// lint` works without a network). With -strict, as for a release, the third is an
// error, too. A scan that cannot be done for another reason is always one.
//
//	vulncheck [-strict] [-platforms GOOS/GOARCH,...] -govulncheck PATH FOLDER...
//
// GOVULNDB names another database, as govulncheck's -db does: https://..., or
// file://... for a copy. The command never installs or updates anything.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// officialDatabase is the Go project's (https://go.dev/security/vuln/database).
const officialDatabase = "https://vuln.go.dev"

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c := check{out: os.Stderr, database: os.Getenv("GOVULNDB")}
	flag.StringVar(&c.govulncheck, "govulncheck", "", "the executable")
	flag.DurationVar(&c.patience, "patience", 5*time.Second, "how long the database may take to answer at all")
	flag.DurationVar(&c.limit, "limit", 10*time.Minute, "how long govulncheck may take for a module")
	flag.BoolVar(&c.strict, "strict", false, "fail if the database cannot be reached")
	flag.Func("platforms", "scan what is built for these, GOOS/GOARCH, separated by commas (default: this machine's)", func(list string) error {
		c.platforms = strings.Split(list, ",")
		return nil
	})
	flag.Parse()
	if c.database == "" {
		c.database = officialDatabase
	}
	if c.govulncheck == "" || flag.NArg() == 0 {
		flag.Usage()
		return 2
	}
	if err := c.modules(ctx, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "govulncheck:", err)
		return 1
	}
	return 0
}
