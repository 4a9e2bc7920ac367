package render

import "strings"

// DefaultKubeVersion stands in where nobody told which version the cluster
// has: no object of the chart depends on it.
const DefaultKubeVersion = "v1.33.0"

// canonicalVersion gives a Kubernetes version as v1.2.3 with what a vendor put
// behind it (-eks-1a2b3c, +k3s1), and false if it is none. The v and the third
// number may be missing, as in Helm's --kube-version.
func canonicalVersion(s string) (string, bool) {
	core, rest := strings.TrimPrefix(s, "v"), ""
	if i := strings.IndexAny(core, "-+"); i >= 0 {
		core, rest = core[:i], core[i:]
	}
	numbers := strings.Split(core, ".")
	if len(numbers) < 2 || len(numbers) > 3 {
		return "", false
	}
	for _, n := range numbers {
		if n == "" || len(n) > 9 || !only(n, digit) || len(n) > 1 && n[0] == '0' {
			return "", false
		}
	}
	if len(numbers) == 2 {
		numbers = append(numbers, "0")
	}
	if !versionTail(rest) {
		return "", false
	}
	return "v" + strings.Join(numbers, ".") + rest, true
}

// versionTail checks a semantic version's pre-release and build parts.
func versionTail(s string) bool {
	if s == "" {
		return true
	}
	identifiers := func(s string, numeric bool) bool {
		for part := range strings.SplitSeq(s, ".") {
			if part == "" || !only(part, func(c byte) bool { return letter(c) || digit(c) || c == '-' }) {
				return false
			}
			if numeric && len(part) > 1 && part[0] == '0' && only(part, digit) {
				return false
			}
		}
		return true
	}
	pre, build, hasBuild := strings.Cut(s, "+")
	if hasBuild && !identifiers(build, false) {
		return false
	}
	return pre == "" && hasBuild || strings.HasPrefix(pre, "-") && identifiers(pre[1:], true)
}
