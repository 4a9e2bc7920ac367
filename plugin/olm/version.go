package olm

import (
	"cmp"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// newer compares two versions: 1 if a is newer, -1 if b is, 0 if they are one.
// What is no semantic version (semver.org, a leading v aside) is older than all
// that is, and goes by its letters.
func newer(a, b string) int {
	va, errA := parse(a)
	vb, errB := parse(b)
	switch {
	case errA == nil && errB == nil:
		return va.Compare(vb)
	case errA == nil:
		return 1
	case errB == nil:
		return -1
	}
	return cmp.Compare(bare(a), bare(b))
}

// Newer reports whether version a is newer than b; nothing is newer than "" but a
// version.
func Newer(a, b string) bool { return a != "" && (b == "" || newer(a, b) > 0) }

func parse(version string) (*semver.Version, error) { return semver.StrictNewVersion(bare(version)) }

// bare is a version without the v that tags and CSV names put before it.
func bare(version string) string {
	if rest, ok := strings.CutPrefix(version, "v"); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		return rest
	}
	return version
}

// versionOf is the version in the name of a CSV, PACKAGE.vVERSION (FACTS 1.6),
// "" if the name is not of that form.
func versionOf(csv, pkg string) string {
	rest, ok := strings.CutPrefix(csv, pkg+".")
	if !ok {
		return ""
	}
	return bare(rest)
}
