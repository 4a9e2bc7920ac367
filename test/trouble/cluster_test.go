package trouble_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func providerARN(issuer string) string {
	return "arn:aws:iam::" + testbed.Account + ":oidc-provider/" + strings.TrimPrefix(issuer, "https://")
}

// TestNotSTS: a cluster whose tokens AWS cannot check, and that has no ACK.
func TestNotSTS(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.Kubernetes, Issuer: "https://kubernetes.default.svc", NoACK: true, NoProvider: true})
	const namespace = "not-sts"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	notSTS := message{
		"the cluster does not use AWS STS", "its service account issuer is https://kubernetes.default.svc, which AWS cannot reach",
		"rosa create cluster --sts … --oidc-issuer",
	}
	wantRefused(t, admin, namespace, refused, notSTS)
	facts := admin.Run(t, "facts", "-n", namespace)
	wantMessages(t, facts, refused, notSTS)

	// With another issuer by hand: everything that is missing is told at once.
	const issuer = "https://issuer.example.com/by-hand"
	ack := message{"the cluster does not know Buckets (s3.services.k8s.aws/v1alpha1)", "the ACK S3 controller … is not installed", "a cluster admin installs it"}
	before := world.Look(t, bed, namespace)
	result := admin.Run(t, "install", "-n", namespace, "--oidc-issuer", issuer)
	wantMessages(t, result, refused, ack, message{"IAM does not know the issuer " + issuer, providerARN(issuer), "aws iam create-open-id-connect-provider --url " + issuer + " --client-id-list openshift sts.amazonaws.com"})
	result.WantTalk(t, "nothing was changed")
	before.WantSame(t, world.Look(t, bed, namespace))

	wantRefused(t, admin, namespace, 2, message{"issuer \"http://issuer.example.com\"", "it must begin with https://", "give it as the cluster spells it"}, "--oidc-issuer", "http://issuer.example.com")

	// A project of its own is not made for a cluster without ACK.
	gone := admin.Run(t, "install", "--new-project=not-sts-new", "--oidc-issuer", issuer)
	wantMessages(t, gone, refused, ack)
	if now := world.Look(t, bed, "not-sts-new"); len(now) > 0 {
		t.Errorf("left over: %v", now)
	}
}

// TestProvider: the issuer is not known to IAM, then known without our
// audience, then as it should be. The same bed lets nobody request projects.
func TestProvider(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.ROSAClassic, NoProvider: true, NoSelfProvisioner: true})
	const namespace = "provider"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	arn := providerARN(bed.Issuer)
	absent := message{
		"IAM does not know the issuer " + bed.Issuer, arn,
		"aws iam create-open-id-connect-provider --url " + bed.Issuer + " --client-id-list openshift sts.amazonaws.com",
	}
	wantRefused(t, admin, namespace, refused, absent)

	learner := run.ProjectAdmin(t, bed, "pupil")
	result := learner.Run(t, "install", "--new-project=provider-new")
	wantMessages(t, result, refused, message{"you may not make a project", "create projectrequests.project.openshift.io", "ask for a project and give it with -n"})
	if now := world.Look(t, bed, "provider-new"); len(now) > 0 {
		t.Errorf("left over: %v", now)
	}

	registerIssuer(t, bed, "openshift")
	wantRefused(t, admin, namespace, refused, message{
		"the OIDC provider of the cluster does not take audience sts.amazonaws.com", "its client ids are openshift",
		"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn " + arn + " --client-id sts.amazonaws.com",
	})
	if _, err := bed.IAM().DeleteOpenIDConnectProvider(t.Context(), &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn}); err != nil {
		t.Fatal(err)
	}
	registerIssuer(t, bed, "openshift", "sts.amazonaws.com")
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
}

func registerIssuer(t *testing.T, bed *testbed.Bed, clients ...string) {
	t.Helper()
	_, err := bed.IAM().CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String(bed.Issuer), ClientIDList: clients, ThumbprintList: []string{strings.Repeat("0", 40)},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// testProviderUnreadable: who may not look is warned and goes on.
func testProviderUnreadable(t *testing.T, bed *testbed.Bed) {
	const namespace = "provider-hidden"
	world.NewNamespace(t, bed, namespace)
	orderDeny(t, bed, "iam:GetOpenIDConnectProvider")
	result := run.Admin(bed).Run(t, "install", "-n", namespace).WantCode(t, done)
	result.WantTalk(t, "whether IAM knows the issuer", "iam:GetOpenIDConnectProvider on "+providerARN(bed.Issuer))
}

// TestRightsMissing: somebody who may only look is told all that is missing,
// in one message.
func TestRightsMissing(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "rights-view"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	admin.Kubectl(t, "create", "rolebinding", "viewers", "--clusterrole=view", "--user=viewer", "-n", namespace).WantCode(t, 0)
	viewer := run.ProjectAdmin(t, bed, "viewer")
	run.Eventually(t, "rights of the viewer", func(context.Context) error {
		if said := viewer.Kubectl(t, "auth", "can-i", "list", "pods", "-n", namespace); said.Code != 0 {
			return fmt.Errorf("%s", said.Stderr)
		}
		return nil
	})
	before := world.Look(t, bed, namespace)
	result := viewer.Run(t, "install", "-n", namespace, "--oidc-issuer", bed.Issuer)
	want := message{"you may not make everything in project " + namespace, "not allowed: ", "a cluster admin allows project admins to create Buckets"}
	wantMessages(t, result, refused, want)
	for _, right := range []string{
		"create buckets.s3.services.k8s.aws", "patch buckets.s3.services.k8s.aws", "create configmaps", "create secrets", "get secrets", "create serviceaccounts",
		"create services", "create persistentvolumeclaims", "create deployments.apps", "patch deployments.apps", "create routes.route.openshift.io",
	} {
		result.WantTalk(t, right)
	}
	if n := len(errorsIn(result.Stderr)); n != 1 {
		t.Errorf("%d errors instead of one\n%s", n, result)
	}
	before.WantSame(t, world.Look(t, bed, namespace))
}
