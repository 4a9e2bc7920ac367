package advice

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
)

// From is a command that reads what another one writes as a file: the process
// substitution of bash, ksh and zsh.
func From(command, input string) string { return command + " <(" + input + ")" }

// To is a command whose output goes to a file.
func To(command, file string) string { return command + " > " + shell.Word(shown(file)) }

// BucketPattern is a pattern of names of buckets, as a policy has it.
func BucketPattern(text string) Value {
	return valueOf(text, bucketPattern.MatchString(text), "PATTERN", "a pattern of bucket names")
}

// Version is a version, of this tool for example.
func Version(text string) Value {
	return valueOf(text, version.MatchString(text), "VERSION", "a version")
}

// ClusterID is the ID of a cluster, as OpenShift and ROSA have it.
func ClusterID(text string) Value {
	return valueOf(text, clusterID.MatchString(text), "CLUSTER_ID", "the ID of a cluster")
}

// Project is the name of a project (RFC 1123: a DNS label).
func Project(text string) Value {
	return valueOf(text, !strings.Contains(text, ".") && Host(text).Legal(), "PROJECT", "the name of a project")
}

// OneOf is one of the words that are known for a kind of value, such as "an origin".
func OneOf(text, kind string, known ...string) Value {
	return valueOf(text, slices.Contains(known, text), "VALUE", kind)
}

// Address is where a browser finds the app: http or https, a host that is a DNS name or
// an IP address, perhaps a port. The Route or Ingress it is made of is written in the
// project.
func Address(text string) Value {
	return valueOf(text, isAddress(text), "URL", "the address of a page")
}

func isAddress(text string) bool {
	_, rest, found := strings.Cut(text, "://")
	parsed, err := url.Parse(text)
	if !found || err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || rest != parsed.Host {
		return false
	}
	if port := parsed.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	} else if strings.HasSuffix(parsed.Host, ":") {
		return false
	}
	host := parsed.Hostname()
	return Host(host).Legal() || net.ParseIP(host) != nil
}

var (
	bucketPattern = regexp.MustCompile(`^[a-z0-9.*?-]{1,63}$`)
	version       = regexp.MustCompile(`^(\(devel\)|v?[0-9A-Za-z][0-9A-Za-z.+_-]{0,127})$`)
	clusterID     = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)
)
