// Package krew holds the plugin's manifest for krew, fills its holes for a
// release and checks the result against the rules that krew and the reviewers
// of its index apply. It downloads nothing and knows nothing of archives
// beyond their names; those are made by the package pack.
package krew

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// Name is the plugin's name, and the base name of its manifest.
const Name = "ostoy-s3"

//go:embed ostoy-s3.yaml
var template string

// hole is what the template leaves open, for example ${VERSION}.
var hole = regexp.MustCompile(`\$\{([^}]*)\}`)

// Platform is an operating system and an architecture, as Go names them.
type Platform struct{ OS, Arch string }

// Platforms lists what a release is made for.
func Platforms() []Platform {
	var list []Platform
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			list = append(list, Platform{OS: system, Arch: arch})
		}
	}
	return list
}

// Bin is the name of the executable on this platform.
func (p Platform) Bin() string {
	if p.OS == "windows" {
		return "kubectl-ostoy_s3.exe"
	}
	return "kubectl-ostoy_s3"
}

// Archive is the file name of this platform's archive.
func (p Platform) Archive() string {
	suffix := ".tar.gz"
	if p.OS == "windows" {
		suffix = ".zip"
	}
	return "kubectl-ostoy_s3_" + p.OS + "_" + p.Arch + suffix
}

func (p Platform) String() string { return p.OS + "/" + p.Arch }

// Fill gives the manifest of a release. The version is vX.Y.Z; sums holds the
// SHA-256 of each platform's archive as 64 lower-case hex digits. A platform
// without a sum and a hole that nothing fills are errors. The comment at the
// head of the template, which explains the holes, is left out.
func Fill(version string, sums map[Platform]string) ([]byte, error) {
	fillings := map[string]string{"VERSION": version}
	for _, p := range Platforms() {
		sum, ok := sums[p]
		if !ok {
			return nil, fmt.Errorf("no checksum for %s: build and pack it first", p)
		}
		fillings["SHA256_"+strings.ToUpper(p.OS+"_"+p.Arch)] = sum
	}
	return fill(body(template), fillings)
}

// fill replaces every hole of text, and names those it has nothing for.
func fill(text string, fillings map[string]string) ([]byte, error) {
	var unknown []string
	filled := hole.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := fillings[hole.FindStringSubmatch(found)[1]]
		if !ok {
			unknown = append(unknown, found)
		}
		return value
	})
	if len(unknown) > 0 {
		return nil, fmt.Errorf("the manifest has holes that nothing fills: %s", strings.Join(unknown, " "))
	}
	return []byte(filled), nil
}

// body is text without the comment lines at its head.
func body(text string) string {
	for strings.HasPrefix(text, "#") {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

// Manifest is the part of krew's Plugin that this project uses. Fields outside
// it are refused when read: a typing error must not pass as an extension.
type Manifest struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata carries the plugin's name.
type Metadata struct {
	Name string `json:"name"`
}

// Spec describes the plugin and where its archives are.
type Spec struct {
	Version          string   `json:"version"`
	Homepage         string   `json:"homepage"`
	ShortDescription string   `json:"shortDescription"`
	Description      string   `json:"description"`
	Caveats          string   `json:"caveats"`
	Platforms        []Target `json:"platforms"`
}

// Target is one archive and the machines it is for.
type Target struct {
	Selector Selector `json:"selector"`
	URI      string   `json:"uri"`
	SHA256   string   `json:"sha256"`
	Bin      string   `json:"bin"`
}

// Selector names the machines by their labels os and arch.
type Selector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

// Parse reads a manifest; unknown and repeated fields are errors.
func Parse(data []byte) (Manifest, error) {
	var m Manifest
	if err := yaml.UnmarshalStrict(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("the krew manifest does not parse: %w", err)
	}
	return m, nil
}

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

// rule is what must hold, and what is said where it does not.
type rule struct {
	holds bool
	says  error
}

func broken(rules ...rule) []error {
	var errs []error
	for _, r := range rules {
		if !r.holds {
			errs = append(errs, r.says)
		}
	}
	return errs
}

// head checks what identifies the plugin.
func head(file string, m Manifest) []error {
	name := m.Metadata.Name
	return broken(
		rule{m.APIVersion == apiVersion, fmt.Errorf("apiVersion is %q, krew knows %q", m.APIVersion, apiVersion)},
		rule{m.Kind == kind, fmt.Errorf("kind is %q, want %q", m.Kind, kind)},
		rule{nameRule.MatchString(name), fmt.Errorf("metadata.name %q must be lower-case letters and digits, joined by dashes", name)},
		rule{file == name+".yaml", fmt.Errorf("the file is %s, but metadata.name is %q: they must be the same", file, name)},
		rule{versionRule.MatchString(m.Spec.Version), fmt.Errorf("spec.version %q is not vX.Y.Z", m.Spec.Version)},
	)
}

// texts checks what people read before they install.
func texts(s Spec) []error {
	short := s.ShortDescription
	oneLine := short != "" && !strings.ContainsAny(short, "\r\n") && utf8.RuneCountInString(short) <= maxShort
	return slices.Concat(broken(
		rule{isHTTPS(s.Homepage), fmt.Errorf("spec.homepage %q is not an https address", s.Homepage)},
		rule{oneLine, fmt.Errorf("spec.shortDescription must be one line of 1 to %d characters: %q", maxShort, short)},
		rule{strings.TrimSpace(s.Description) != "", errors.New("spec.description is empty")},
	), wrapped("spec.description", s.Description), wrapped("spec.caveats", s.Caveats))
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
	archive := strings.HasSuffix(t.URI, ".tar.gz") || strings.HasSuffix(t.URI, ".zip")
	windows := t.Selector.MatchLabels["os"] == "windows"
	return broken(
		rule{isHTTPS(t.URI) && archive, fmt.Errorf("%s: uri must be an https address of a .tar.gz or .zip: %q", where, t.URI)},
		rule{strings.Contains(t.URI, "/"+version+"/"), fmt.Errorf("%s: uri is not of release %s: %q", where, version, t.URI)},
		rule{sumRule.MatchString(t.SHA256), fmt.Errorf("%s: sha256 must be 64 lower-case hex digits: %q", where, t.SHA256)},
		rule{
			t.Bin != "" && windows == strings.HasSuffix(t.Bin, ".exe"),
			fmt.Errorf("%s: bin %q must be set, and end in .exe on Windows only", where, t.Bin),
		},
	)
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}
