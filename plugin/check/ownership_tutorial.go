package check

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The names of what the ROSA tutorial makes, which are the same in every account
// and cluster (FACTS 0.10 and 6).
const (
	tutorialRole    = "ostoy-sa-role"
	tutorialBinding = "system:openshift:scc:restricted"
)

// tutorial looks for what the tutorial leaves that still gives rights to this
// project's service account.
func (o ownLook) tutorial(ctx context.Context) Finding {
	var role *iam.Actual
	var binding *unstructured.Unstructured
	var roleErr, bindingErr error
	var group errgroup.Group
	group.Go(func() error {
		role, roleErr = o.namedRole(ctx, tutorialRole)
		return nil
	})
	group.Go(func() error {
		binding, bindingErr = o.Get(ctx, live.ClusterRoleBindings(), "", tutorialBinding)
		return nil
	})
	_ = group.Wait()
	switch {
	case role != nil && role.Exists && trusts(role.Trust, o.Facts.Issuer.Value, o.Namespace):
		return Warn(
			"the tutorial's role "+tutorialRole+" still trusts this project's service account",
			"it reaches every bucket of the account ("+held(role)+"), and the app does not need it: its own role is "+o.RoleName(ctx),
			"detach the policies that this lists: "+advice.Command("aws iam list-attached-role-policies", "--role-name", tutorialRole)+
				"\nthen "+advice.Command("aws iam delete-role", "--role-name", tutorialRole),
		)
	case binding != nil && binds(binding, o.Namespace):
		return Warn(
			"the tutorial's ClusterRoleBinding "+tutorialBinding+" names this project's service account",
			"oc adm policy without -n grants across the cluster; the app runs under restricted-v2 and does not need it",
			"a cluster admin revokes it: "+advice.Command("oc adm policy remove-scc-from-user restricted", "system:serviceaccount:"+o.Namespace+":"+render.ServiceAccount),
		)
	}
	return unseenTutorial(roleErr, bindingErr, o)
}

// unseenTutorial is the finding where nothing was found: what may not be looked
// at may still be there.
func unseenTutorial(roleErr, bindingErr error, o ownLook) Finding {
	switch {
	case apierrors.IsForbidden(bindingErr):
		return Unseen("get clusterrolebindings", "whether the tutorial's grant for the whole cluster is still there")
	case bindingErr != nil:
		return Fail(o.Conn.Translate(bindingErr))
	case errors.Is(roleErr, live.ErrNoAWS):
		return Leave("there are no AWS credentials")
	case awserr.Denied(roleErr):
		return Unseen("iam:GetRole on "+tutorialRole, "whether the tutorial's role still trusts this project")
	}
	return Fail(roleErr)
}

// namedRole reads a role that is not the install's own.
func (o ownLook) namedRole(ctx context.Context, name string) (*iam.Actual, error) {
	switch {
	case o.Roles == nil:
		return nil, live.ErrNoAWS
	case o.RoleName(ctx) == name: // asked for with --role-name
		return nil, nil
	}
	return iam.Read(ctx, o.Roles, name, false)
}

// trusts reports whether a trust policy lets in this project's service account
// of this cluster. IAM gives policies percent-encoded.
func trusts(trust, issuer, namespace string) bool {
	if plain, err := url.PathUnescape(trust); err == nil {
		trust = plain
	}
	host := strings.TrimSuffix(strings.TrimPrefix(issuer, "https://"), "/")
	return strings.Contains(trust, `"system:serviceaccount:`+namespace+`:`+render.ServiceAccount+`"`) && strings.Contains(trust, host)
}

func held(role *iam.Actual) string {
	if len(role.Attached) == 0 {
		return "as AmazonS3FullAccess lets it"
	}
	return strings.Join(role.Attached, ", ")
}

func binds(binding *unstructured.Unstructured, namespace string) bool {
	for _, subject := range health.Maps(binding.Object, "subjects") {
		if subject["kind"] == "ServiceAccount" && subject["namespace"] == namespace && subject["name"] == render.ServiceAccount {
			return true
		}
	}
	return false
}
