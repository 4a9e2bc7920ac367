package krew

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	apiVersion = "krew.googlecontainertools.github.com/v1alpha2"
	kind       = "Plugin"

	// maxShort is what the reviewers of krew's index ask for; krew itself
	// sets no bound.
	maxShort = 50
	// maxLine keeps the texts readable in `kubectl krew info`.
	maxLine = 80
)

var (
	// krew accepts underscores in names, its index does not: the host turns
	// dashes into underscores when it looks for the executable.
	nameRule    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	versionRule = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)
	sumRule     = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Validate reports everything in the manifest that krew or the reviewers of
// its index would refuse. The file name is the manifest's, ostoy-s3.yaml.
func Validate(file string, m Manifest) error {
	return errors.Join(slices.Concat(
		head(file, m),
		texts(m.Spec),
		targets(m.Spec),
	)...)
}

// head checks what identifies the plugin.
func head(file string, m Manifest) []error {
	var errs []error
	if m.APIVersion != apiVersion {
		errs = append(errs, fmt.Errorf("apiVersion is %q, krew knows %q", m.APIVersion, apiVersion))
	}
	if m.Kind != kind {
		errs = append(errs, fmt.Errorf("kind is %q, want %q", m.Kind, kind))
	}
	if !nameRule.MatchString(m.Metadata.Name) {
		errs = append(errs, fmt.Errorf("metadata.name %q must be lower-case letters and digits, joined by dashes", m.Metadata.Name))
	}
	if file != m.Metadata.Name+".yaml" {
		errs = append(errs, fmt.Errorf("the file is %s, but metadata.name is %q: they must be the same", file, m.Metadata.Name))
	}
	if !versionRule.MatchString(m.Spec.Version) {
		errs = append(errs, fmt.Errorf("spec.version %q is not vX.Y.Z", m.Spec.Version))
	}
	return errs
}

// texts checks what people read before they install.
func texts(s Spec) []error {
	var errs []error
	if !isHTTPS(s.Homepage) {
		errs = append(errs, fmt.Errorf("spec.homepage %q is not an https address", s.Homepage))
	}
	short := s.ShortDescription
	if short == "" || strings.ContainsAny(short, "\r\n") || utf8.RuneCountInString(short) > maxShort {
		errs = append(errs, fmt.Errorf("spec.shortDescription must be one line of 1 to %d characters: %q", maxShort, short))
	}
	if strings.TrimSpace(s.Description) == "" {
		errs = append(errs, errors.New("spec.description is empty"))
	}
	return slices.Concat(errs, wrapped("spec.description", s.Description), wrapped("spec.caveats", s.Caveats))
}

// wrapped reports the lines of a text that are too long for a terminal.
func wrapped(field, text string) []error {
	var errs []error
	for i, line := range strings.Split(text, "\n") {
		if n := utf8.RuneCountInString(line); n > maxLine {
			errs = append(errs, fmt.Errorf("%s line %d has %d characters, wrap it at %d", field, i+1, n, maxLine))
		}
	}
	return errs
}

// targets checks each platform, and that no two answer for the same machine.
func targets(s Spec) []error {
	if len(s.Platforms) == 0 {
		return []error{errors.New("spec.platforms is empty")}
	}
	var errs []error
	seen := map[Platform]bool{}
	for i, t := range s.Platforms {
		where := fmt.Sprintf("spec.platforms[%d]", i)
		p, err := t.Selector.platform()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
		} else if seen[p] {
			errs = append(errs, fmt.Errorf("%s: %s is selected twice", where, p))
		}
		seen[p] = true
		errs = append(errs, t.check(where, s.Version)...)
	}
	return errs
}

// platform reads the selector. Both labels are asked for: a selector with os
// alone would overlap with every other of that system.
func (s Selector) platform() (Platform, error) {
	p := Platform{OS: s.MatchLabels["os"], Arch: s.MatchLabels["arch"]}
	if len(s.MatchLabels) != 2 || !slices.Contains(Platforms(), p) {
		return Platform{}, fmt.Errorf("selector.matchLabels must be the os and arch of a platform we build, not %v", s.MatchLabels)
	}
	return p, nil
}

// check looks at one archive's address, sum and executable.
func (t Target) check(where, version string) []error {
	var errs []error
	if !isHTTPS(t.URI) || !strings.HasSuffix(t.URI, ".tar.gz") && !strings.HasSuffix(t.URI, ".zip") {
		errs = append(errs, fmt.Errorf("%s: uri must be an https address of a .tar.gz or .zip: %q", where, t.URI))
	}
	if !strings.Contains(t.URI, "/"+version+"/") {
		errs = append(errs, fmt.Errorf("%s: uri is not of release %s: %q", where, version, t.URI))
	}
	if !sumRule.MatchString(t.SHA256) {
		errs = append(errs, fmt.Errorf("%s: sha256 must be 64 lower-case hex digits: %q", where, t.SHA256))
	}
	windows := t.Selector.MatchLabels["os"] == "windows"
	if t.Bin == "" || windows != strings.HasSuffix(t.Bin, ".exe") {
		errs = append(errs, fmt.Errorf("%s: bin %q must be set, and end in .exe on Windows only", where, t.Bin))
	}
	return errs
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}
