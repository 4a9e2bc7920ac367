package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// check is one run of the command.
type check struct {
	govulncheck string        // the executable
	database    string        // URL: http, https or file
	patience    time.Duration // for the database's first answer
	limit       time.Duration // for govulncheck, a module
	strict      bool          // an error if the database cannot be reached
	platforms   []string      // GOOS/GOARCH; none: this machine's
	out         io.Writer     // what govulncheck finds, and our own line
}

// errFound says that something vulnerable is called.
var errFound = errors.New("the code calls what is known to be vulnerable (above): update the module it is in; " +
	"make lint stays red until a fixed version is used")

// exitFound is govulncheck's exit code for findings in code that is called.
const exitFound = 3

// errUnseen ends a strict run without a database.
var errUnseen = errors.New("the vulnerability database cannot be reached, nothing was looked at")

// modules scans the modules in the folders for each platform, one after the other. If
// the database cannot be reached, a strict run fails; any other reports it on out
// and succeeds.
func (c check) modules(ctx context.Context, folders []string) error {
	if err := c.reach(ctx); err != nil {
		return c.unreachable(ctx, err)
	}
	for _, folder := range folders {
		for _, platform := range c.platformsOr("") {
			err := c.module(ctx, folder, platform)
			if err == nil {
				continue
			}
			// A network that went away in between is told from a fault of the module.
			if lost := c.reach(ctx); !errors.Is(err, errFound) && lost != nil {
				return c.unreachable(ctx, lost)
			}
			return fmt.Errorf("%s: %w", strings.TrimSpace(folder+" "+platform), err)
		}
	}
	return nil
}

// platformsOr is the platforms, or the one given.
func (c check) platformsOr(one string) []string {
	if len(c.platforms) == 0 {
		return []string{one}
	}
	return c.platforms
}

// unreachable says so, unless somebody pressed Ctrl-C.
func (c check) unreachable(ctx context.Context, why error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.strict {
		return fmt.Errorf("%w: %w", errUnseen, why)
	}
	_, err := fmt.Fprintf(c.out, "govulncheck: the vulnerability database cannot be reached, nothing was looked at (%v)\n", why)
	return err
}

// module runs govulncheck over everything in one module, as it is built for a
// platform; "" is this machine's.
func (c check) module(ctx context.Context, folder, platform string) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.govulncheck, "-C", folder, "-db", c.database, "./...")
	cmd.Stdout, cmd.Stderr = c.out, c.out
	if platform != "" {
		system, architecture, _ := strings.Cut(platform, "/")
		if system == "" || architecture == "" { // go would scan this machine's
			return errors.New("could not look: the platform is not GOOS/GOARCH")
		}
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+architecture) // as `make dist` builds it
	}
	cmd.WaitDelay = time.Second // the go commands it started may hold the output open
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("did not end within %s", c.limit)
	case errors.As(err, &ended) && ended.ExitCode() == exitFound:
		return errFound
	}
	return fmt.Errorf("could not look: %w", err)
}

// reach asks the database when it was last modified, which is its smallest
// answer. Something else that answers in its place (a portal that wants a login)
// is not the database.
func (c check) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	const index = "/index/db.json"
	where, err := url.Parse(strings.TrimRight(c.database, "/"))
	if err != nil {
		return err
	}
	if where.Scheme == "file" {
		file, err := os.Open(filepath.FromSlash(where.Path + index))
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		return modified(file)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String()+index+".gz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", where.Redacted(), response.Status)
	}
	plain, err := gzip.NewReader(response.Body)
	if err != nil {
		return fmt.Errorf("%s is no such database: %w", where.Redacted(), err)
	}
	return modified(plain)
}

// modified wants the one field that every database has
// (https://go.dev/security/vuln/database#api).
func modified(r io.Reader) error {
	const enough = 1 << 10
	var index struct {
		Modified time.Time `json:"modified"`
	}
	if err := json.NewDecoder(io.LimitReader(r, enough)).Decode(&index); err != nil {
		return fmt.Errorf("not a vulnerability database: %w", err)
	}
	if index.Modified.IsZero() {
		return errors.New("not a vulnerability database: it does not say when it was modified")
	}
	return nil
}
