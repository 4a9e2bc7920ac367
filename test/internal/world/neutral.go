package world

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// passing is what differs between two installs that are the same, and gaps is
// what its going leaves behind. marked are the notes on an inventory that a later
// run changed something without changing the inventory, what it aimed at, or that it
// began to remove it.
var (
	marked = regexp.MustCompile(`"annotations":\{("ostoy-s3/(aim|replaces|removing)":"[0-9a-f]+",?)+\}` +
		`|"f:annotations":\{("\.":\{\},?)?("f:ostoy-s3/(aim|replaces|removing)":\{\},?)+\}`)
	passing = regexp.MustCompile(`"(uid|creationTimestamp|time|clusterIP|id|volumeName|generation)":("[^"]*"|\d+)` +
		`|"clusterIPs":\[[^]]*\]|"(volume|volume.beta|pv).kubernetes.io/[a-z-]+":"[^"]*"|20\d\d-\d\d-\d\dT[0-9:.]+Z`)
	gaps = regexp.MustCompile(`,+([,}])`)
)

// Neutral takes out of a text what names the namespace or the moment.
func Neutral(bed *testbed.Bed, namespace, text string) string {
	text = strings.ReplaceAll(text, RoleName(bed.Issuer, namespace), "ROLE")
	text = strings.ReplaceAll(text, namespace, "NS")
	text = marked.ReplaceAllString(text, "")
	text = passing.ReplaceAllString(text, "")
	return strings.ReplaceAll(gaps.ReplaceAllString(text, "$1"), "{,", "{")
}

// Comparable is the world of a namespace in words that hold for every
// namespace: names, ids and times that must differ are left out.
func (w World) Comparable(bed *testbed.Bed, namespace string) World {
	all := World{}
	for key, text := range w {
		kind, _, _ := strings.Cut(key, "/")
		// Pods and what counts their rollouts differ by time, not by install.
		if kind == "pods" || kind == "replicasets" || kind == "namespace" {
			continue
		}
		all[Neutral(bed, namespace, key)] = Neutral(bed, namespace, text)
	}
	return all
}

// RoleName is the name of a new role. The rule is written here a second time, so that a
// change of the product's is noticed.
func RoleName(issuer, namespace string) string { return roleName(issuer, namespace, 6) }

// EarlierRoleName is the name of a role that an earlier version created, with 8 digits.
func EarlierRoleName(issuer, namespace string) string { return roleName(issuer, namespace, 4) }

// EarlierControllerRoleName is EarlierRoleName for the ACK S3 controller's role.
func EarlierControllerRoleName(issuer string) string {
	sum := sha256.Sum256([]byte(issuer))
	return "ack-s3-controller-" + hex.EncodeToString(sum[:4])
}

func roleName(issuer, namespace string, hashBytes int) string {
	sum := sha256.Sum256([]byte(issuer + "\n" + namespace))
	return namespace[:min(40, len(namespace))] + "-ostoy-sa-" + hex.EncodeToString(sum[:hashBytes])
}
