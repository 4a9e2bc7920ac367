// Package krew holds the plugin's manifest for krew, fills its holes for a
// release and checks the result against the rules that krew and the reviewers
// of its index apply. It downloads nothing and knows nothing of archives
// beyond their names; those are made by the package pack.
package krew

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
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

// sumHole is the name of the hole that takes the sum of this platform's archive.
func (p Platform) sumHole() string {
	return "SHA256_" + strings.ToUpper(p.OS) + "_" + strings.ToUpper(p.Arch)
}

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
		fillings[p.sumHole()] = sum
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
