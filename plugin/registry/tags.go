package registry

import (
	"context"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// tagOf is the tag that a version of a chart has: Helm writes _ for the + that
// a tag cannot have (helm.sh/docs/topics/registries).
func tagOf(version string) string { return strings.ReplaceAll(version, "+", "_") }

// newest asks for the repository's tags and gives that of the newest version,
// empty where none of them is a version. It keeps no more than a page of them, whose
// size the client limits: the registry decides how many there are.
func (w *wanted) newest(ctx context.Context) (best string, err error) {
	err = w.repo.Tags(ctx, "", func(page []string) error {
		best = highest(append([]string{best}, page...))
		return nil
	})
	return best, err
}

// highest is the tag of the highest semantic version, empty where none of them
// is one. Versions before a release count only where there are no others, as
// for Helm; signatures and the like have tags that are no versions.
func highest(tags []string) string {
	var best string
	var known *semver.Version
	for _, tag := range tags {
		version, err := semver.StrictNewVersion(strings.TrimPrefix(strings.ReplaceAll(tag, "_", "+"), "v"))
		if err != nil {
			continue
		}
		if known == nil || above(version, known) {
			best, known = tag, version
		}
	}
	return best
}

func above(a, b *semver.Version) bool {
	if early := a.Prerelease() != ""; early != (b.Prerelease() != "") {
		return !early
	}
	return a.GreaterThan(b)
}
