package apply

import (
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
)

// named is an object as an error names it: "Route ostoy-route in demo"; without
// a namespace where it is in none: "ClusterRole ack-s3-buckets".
func (a *Applier) named(ref Ref) string {
	if a.opts.Set.Cluster(ref) {
		return ref.String()
	}
	return ref.String() + " in " + a.opts.Namespace
}

// oc is a command of oc about an object, such as "oc get": "oc get route/ostoy-route -n
// demo -w", "oc get clusterrole/ack-s3-buckets -w".
func (a *Applier) oc(command string, ref Ref, flags ...string) string {
	words := []string{ref.Resource()}
	if !a.opts.Set.Cluster(ref) {
		words = append(words, "-n", a.opts.Namespace)
	}
	return advice.Command(command, append(words, flags...)...)
}

// hint is a clause that names the flags that take values; "" where there are none.
func (a *Applier) hint(format string) string {
	if a.opts.Set.Values == "" {
		return ""
	}
	return fmt.Sprintf(format, a.opts.Set.Values)
}
