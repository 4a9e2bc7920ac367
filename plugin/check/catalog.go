package check

import (
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// Sources says what asking for the facts came to: nil where it went well.
type Sources struct {
	Cluster error // the API server did not answer, or there is none to ask
	AWS     error // no credentials, or STS refused them
	Issuer  error // the cluster's tokens are of no use to AWS
}

// All are all checks: those before an install, and those of what it made. A nil
// World gives the list of them, not to be run.
func All(w *live.World, sources Sources, t Target) []Check {
	t.World = nil // the checks of the controller look closer
	pre := Pre(t)
	for i := range pre {
		pre[i].Needs = append(slices.Clone(pre[i].Needs), IDServer, IDIssuer)
		if !slices.Contains([]string{IDBucketCRD, IDClusterRights, IDProjectRights}, pre[i].ID) {
			pre[i].Needs = append(pre[i].Needs, IDCredentials)
		}
		if pre[i].ID == IDObjects { // what these tell, planning would only refuse
			pre[i].Needs = append(pre[i].Needs, IDEngines, IDBucketName, IDBucketDeleting)
		}
	}
	all := slices.Concat(
		sourceChecks(sources),
		pre,
		clusterChecks(w, t),
		awsChecks(w),
		controllerChecks(w),
		identityChecks(w),
		bucketChecks(w),
		appChecks(w, t.Objects),
		ownershipChecks(w),
	)
	for i, c := range all {
		// In another account everything looks wrong, for one reason.
		if slices.Contains(c.Needs, IDCredentials) && c.Group != AWS && c.Group != Cluster {
			all[i].Needs = append(slices.Clone(c.Needs), IDAccount)
		}
	}
	slices.SortStableFunc(all, func(a, b Check) int {
		return slices.Index(Groups(), a.Group) - slices.Index(Groups(), b.Group)
	})
	return all
}

// IDs of the checks that nearly all others need.
const (
	IDServer      = "api-server"
	IDCredentials = "aws-credentials"
	IDIssuer      = "cluster-issuer"
	IDInstalled   = "installed"
)

// sourceChecks tell what had to be found out before anything else could be.
func sourceChecks(s Sources) []Check {
	return []Check{
		{
			ID: IDServer, Group: Cluster, Severity: Error, Title: "the API server answers",
			Run: found(s.Cluster),
		},
		{
			ID: IDIssuer, Group: Cluster, Severity: Error, Needs: []string{IDServer},
			Title: "the cluster's tokens are of use to AWS", Run: found(s.Issuer),
		},
		{
			ID: IDCredentials, Group: AWS, Severity: Error, Title: "AWS takes your credentials",
			Run: found(s.AWS),
		},
	}
}

// Before are those of the checks that come before an install.
func Before(all []Check) []Check {
	before := []string{IDServer, IDIssuer, IDCredentials, IDController, IDControllerRole}
	for _, c := range Pre(Target{Namespace: NamespaceEither}) {
		before = append(before, c.ID)
	}
	return Only(all, before...)
}

// WithNeeds are the checks with these ids, and all that they need.
func WithNeeds(all []Check, chosen []string) []Check {
	wanted := slices.Clone(chosen)
	for n := 0; n < len(wanted); n++ {
		for _, c := range Only(all, wanted[n]) {
			for _, need := range c.Needs {
				if !slices.Contains(wanted, need) {
					wanted = append(wanted, need)
				}
			}
		}
	}
	return Only(all, wanted...)
}
