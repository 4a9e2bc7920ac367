package trouble_test

import (
	"regexp"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// passing is what differs between two installs that are the same, and gaps is
// what its going leaves behind.
var (
	passing = regexp.MustCompile(`"(uid|creationTimestamp|time|clusterIP|id|volumeName|generation)":("[^"]*"|\d+)` +
		`|"clusterIPs":\[[^]]*\]|"(volume|volume.beta|pv).kubernetes.io/[a-z-]+":"[^"]*"|20\d\d-\d\d-\d\dT[0-9:.]+Z`)
	gaps = regexp.MustCompile(`,+([,}])`)
)

// neutral takes out of a text what names the namespace or the moment.
func neutral(bed *testbed.Bed, namespace, text string) string {
	text = strings.ReplaceAll(text, roleName(bed.Issuer, namespace), "ROLE")
	text = strings.ReplaceAll(text, namespace, "NS")
	text = passing.ReplaceAllString(text, "")
	return strings.ReplaceAll(gaps.ReplaceAllString(text, "$1"), "{,", "{")
}
