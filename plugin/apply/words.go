package apply

import "fmt"

// named is an object as an error names it: "Route ostoy-route in demo"; without
// a namespace where it is in none: "ClusterRole ack-s3-buckets".
func (a *Applier) named(ref Ref) string {
	if a.opts.Set.Cluster(ref) {
		return ref.String()
	}
	return ref.String() + " in " + a.opts.Namespace
}

// typed is an object as oc takes it: "route/ostoy-route -n demo",
// "clusterrole/ack-s3-buckets".
func (a *Applier) typed(ref Ref) string {
	if a.opts.Set.Cluster(ref) {
		return ref.Resource()
	}
	return ref.Resource() + " -n " + a.opts.Namespace
}

// hint is a clause that names the flags that take values; "" where there are none.
func (a *Applier) hint(format string) string {
	if a.opts.Set.Values == "" {
		return ""
	}
	return fmt.Sprintf(format, a.opts.Set.Values)
}
