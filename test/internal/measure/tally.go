package measure

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// Tally counts requests by what they ask for: "iam GetRole", "kube get
// namespaces", "kube get /version".
type Tally map[string]int

// Count tallies the requests of one run; one that the SDK repeats is one.
func Count(kube []testbed.KubeRequest, aws []testbed.AWSRequest) Tally {
	tally := Tally{}
	for _, request := range kube {
		tally["kube "+kubeName(request)]++
	}
	for _, request := range aws {
		if !request.Again() {
			tally[awsName(request)]++
		}
	}
	return tally
}

// awsName tells the user's own requests from those that verify makes as the role,
// and on the way there.
func awsName(request testbed.AWSRequest) string {
	name := request.Service + " " + request.Operation
	switch request.Principal {
	case "app":
		return name + " (as the role)"
	case "anonymous":
		return name + " (with a token)"
	}
	return name
}

func kubeName(request testbed.KubeRequest) string {
	path, query, _ := strings.Cut(request.URI, "?")
	if request.Object == nil {
		return request.Verb + " " + path
	}
	name := request.Verb + " " + request.Object.Resource
	if request.Object.Subresource != "" {
		name += "/" + request.Object.Subresource
	}
	if request.Object.Subresource == "token" {
		name += " of " + request.Object.Name
	}
	if strings.Contains(query, "dryRun=All") {
		name += " (dry run)"
	}
	return name
}

// Names are what was asked for, sorted.
func (t Tally) Names() []string { return slices.Sorted(maps.Keys(t)) }

// Total is the number of requests to the API server, and to AWS.
func (t Tally) Total() (kube, aws int) {
	for name, count := range t {
		if strings.HasPrefix(name, "kube ") {
			kube += count
		} else {
			aws += count
		}
	}
	return kube, aws
}

// String is a line for each request, with the totals in front.
func (t Tally) String() string {
	kube, aws := t.Total()
	lines := []string{fmt.Sprintf("%3d to the API server, %d to AWS", kube, aws)}
	for _, name := range t.Names() {
		lines = append(lines, fmt.Sprintf("%3d %s", t[name], name))
	}
	return strings.Join(lines, "\n")
}
